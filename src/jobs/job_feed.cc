#include "jobs/job_feed.h"

#include <algorithm>
#include <limits>

#include "base/clock.h"
#include "base/random_id.h"
#include "jobs/exact_numbers.h"
#include "jobs/job_numbers.h"

namespace laminar {

namespace {

constexpr size_t kOutputRows = 10'000;
constexpr size_t kErrorEntries = 1'000;
constexpr size_t kLogEntries = 10'000;
constexpr size_t kEventEntries = 1'000;
constexpr size_t kStreamEvents = 20'000;
constexpr size_t kStreamBytes = 8u << 20;
constexpr size_t kSamples = 3'600;  // one a second while something changes
constexpr size_t kMinutes = 1'440;  // one a minute
constexpr size_t kRecordBytes = 4'096;
int64_t NowMs() { return SystemClock().now_us() / 1000; }

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

template <typename T>
void Bound(std::deque<T>& ring, size_t most) {
  while (ring.size() > most) ring.pop_front();
}

std::string CsvCell(const Json& value) {
  std::string text = value.is_null() ? "" : value.is_string() ? value.get<std::string>() : Dump(value);
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    out += c;
    if (c == '"') out += c;
  }
  return out + "\"";
}

}  // namespace

void JobFeed::SetPlan(const Json& graph, const Json& outputs) {
  std::lock_guard lock(mutex_);
  std::vector<std::string> ids;
  for (const Json& node : graph.at("nodes")) ids.push_back(node.at("operator_id").get<std::string>());
  if (ids != ids_) before_.assign(ids.size(), {});
  ids_ = std::move(ids);
  graph_ = graph;
  subtasks_.assign(ids_.size(), {});
  splits_.assign(ids_.size(), {});
  for (const Json& output : outputs) {
    OutputRing& ring = outputs_[output.at("operator_id").get<std::string>()];
    ring.columns = output.at("columns");
    ring.updating = output.at("updating").get<bool>();
    Push("schema", Dump({{"operator_id", output.at("operator_id")},
                         {"columns", ring.columns},
                         {"updating", ring.updating}}));
  }
  last_report_ms_ = NowMs();
}

void JobFeed::OnMetrics(const Json& message) {
  std::lock_guard lock(mutex_);
  last_report_ms_ = NowMs();
  if (!message.contains("subtasks")) return;
  for (const Json& row : message["subtasks"]) {
    auto numbers = row.get<std::vector<int64_t>>();
    if (numbers.size() != kNumbers || numbers[kNode] < 0 ||
        numbers[kNode] >= static_cast<int64_t>(subtasks_.size()))
      continue;
    auto& of_node = subtasks_[static_cast<size_t>(numbers[kNode])];
    const auto subtask = static_cast<size_t>(numbers[kSubtask]);
    if (of_node.size() <= subtask) of_node.resize(subtask + 1, std::vector<int64_t>(kNumbers, 0));
    of_node[subtask] = std::move(numbers);
  }
  TakeLatency(message.value("latency", Json::array()));
  for (auto& of_node : splits_) of_node.clear();
  for (const Json& row : message.value("splits", Json::array())) {
    const auto node = row[0].get<size_t>();
    if (node >= splits_.size()) continue;
    for (const Json& split : row[2]) {
      splits_[node].push_back({row[1].get<int>(), split[0].get<std::string>(), split[1].get<int64_t>(),
                               split[2].get<int64_t>(), split[3].get<bool>(),
                               split[4].is_null() ? std::nullopt : std::optional(split[4].get<int64_t>())});
    }
  }
  Sample sample;
  sample.time_ms = last_report_ms_;
  for (size_t node = 0; node < ids_.size(); ++node) sample.operators.push_back(Number(node));
  sample.latency = latency_;
  if (minutes_.empty() || sample.time_ms - minutes_.back().time_ms >= 60'000) {
    minutes_.push_back(sample);
    Bound(minutes_, kMinutes);
  }
  samples_.push_back(std::move(sample));
  Bound(samples_, kSamples);
}

/// [[node, subtask, [[bucket, rows]…]]…] of sinks, summed over subtasks.
void JobFeed::TakeLatency(const Json& reported) {
  latency_.clear();
  for (const Json& row : reported) {
    auto& of_node = latency_[row[0].get<size_t>()];
    for (const Json& bucket : row[2]) of_node[bucket[0].get<int>()] += bucket[1].get<int64_t>();
  }
}

void JobFeed::OnCheckpoint(const Json& message) {
  std::lock_guard lock(mutex_);
  state_bytes_.clear();
  for (const Json& op : message.at("operators"))
    state_bytes_[op.at("operator_id").get<std::string>()] = op.at("state_size").get<int64_t>();
  has_checkpoint_ = true;
}

void JobFeed::OnProcessEnded() {
  std::lock_guard lock(mutex_);
  for (size_t node = 0; node < ids_.size() && node < before_.size(); ++node) before_[node] = Number(node);
  for (auto& of_node : subtasks_) of_node.clear();
  latency_.clear();
}

OperatorNumbers JobFeed::Number(size_t node) const {
  OperatorNumbers sum = node < before_.size() ? before_[node] : OperatorNumbers{};
  sum.state_rows = sum.queue_bytes = sum.queue_bytes_max = sum.splits = 0;
  sum.watermark_us = subtasks_[node].empty() ? kNoWatermark : kEndWatermark;
  for (const auto& n : subtasks_[node]) {
    sum.rows_in += n[kIn];
    sum.rows_out += n[kOut];
    sum.bytes_in += n[kBytes];
    sum.bytes_out += n[kBytesOut];
    sum.splits += n[kSplits];
    sum.late += n[kLate];
    sum.bad += n[kBad];
    sum.state_rows += n[kState];
    sum.busy_us += n[kBusy];
    sum.queue_bytes += n[kQueue];
    sum.queue_bytes_max += n[kQueueMax];
    sum.watermark_us = std::min(sum.watermark_us, n[kWatermark]);
  }
  return sum;
}

void JobFeed::OnOutput(const Json& message) {
  std::lock_guard lock(mutex_);
  const std::string id = message.at("operator_id").get<std::string>();
  OutputRing& ring = outputs_[id];
  Json records = Json::array();
  std::string data = "{\"operator_id\":" + Dump(id) +
                     ",\"subtask_index\":" + std::to_string(message.at("subtask").get<int>()) +
                     ",\"start_id\":" + std::to_string(message.at("first").get<int64_t>()) + ",\"records\":[";
  bool first = true;
  for (const Json& row : message.at("records")) {
    OutputRow out;
    out.timestamp_ms = row[0].get<int64_t>();
    out.op = row[1].get<std::string>();
    out.record = row[2].get<std::string>();
    out.before = row[3].get<std::string>();
    if (out.record.empty()) out.record = "null";
    data += std::string(first ? "" : ",") + "{\"timestamp\":" + std::to_string(out.timestamp_ms) +
            ",\"op\":\"" + out.op + "\",\"record\":" + out.record +
            (out.before.empty() ? "" : ",\"before\":" + out.before) + "}";
    first = false;
    ring.rows.push_back(std::move(out));
  }
  data += "]}";
  ring.total = std::max(ring.total, message.at("total").get<int64_t>());
  Bound(ring.rows, kOutputRows);
  ring.first = ring.total - static_cast<int64_t>(ring.rows.size());
  Push("output", std::move(data));
  events_.back().rows = static_cast<int64_t>(message.at("records").size());
}

void JobFeed::OnState(const std::string& state, const std::string& detail) {
  std::lock_guard lock(mutex_);
  Push("state", Dump({{"state", state}, {"stateDetail", detail}}));
}

void JobFeed::OnEnd(const std::string& reason) {
  std::lock_guard lock(mutex_);
  if (ended_) return;
  int64_t total = 0;
  for (const auto& [id, ring] : outputs_) total += ring.total;
  Push("end", Dump({{"reason", reason}, {"total_records", total}}));
  ended_ = true;
}

void JobFeed::Push(std::string name, std::string data) {
  event_bytes_ += data.size();
  events_.push_back({next_event_++, std::move(name), std::move(data), 0});
  while (events_.size() > kStreamEvents || (event_bytes_ > kStreamBytes && events_.size() > 1)) {
    event_bytes_ -= events_.front().data.size();
    events_.pop_front();
  }
}

Json JobFeed::AddError(const std::string& level, const std::string& operator_id, int task_index,
                       const std::string& message, const std::string& details, const std::string& record,
                       int64_t bad_records) {
  std::lock_guard lock(mutex_);
  const int64_t now_ms = NowMs();
  // Bad records are counted by the operators already.
  if (bad_records == 0) ++(level == "warning" ? warning_count_ : error_count_);
  const int64_t count = std::max<int64_t>(1, bad_records);
  for (auto entry = errors_.rbegin(); entry != errors_.rend(); ++entry) {
    if ((*entry)["timestamp"].get<int64_t>() + 1000 <= now_ms) break;
    if ((*entry)["message"] == message && (*entry)["operator_id"] == operator_id) {
      (*entry)["count"] = (*entry)["count"].get<int64_t>() + count;
      return *entry;
    }
  }
  Json entry = {{"id", RandomId("err_")},
                {"timestamp", now_ms},
                {"level", level},
                {"operator_id", operator_id.empty() ? Json() : Json(operator_id)},
                {"task_index", task_index},
                {"message", message},
                {"details", details},
                {"record", record.empty() ? Json() : Json(record.substr(0, kRecordBytes))},
                {"count", count}};
  if (operator_id.empty()) entry["task_index"] = nullptr;
  errors_.push_back(entry);
  Bound(errors_, kErrorEntries);
  Push("error", Dump(entry));
  return entry;
}

Json JobFeed::AddLog(const std::string& level, const std::string& message, const Json& details,
                     const std::string& operator_id) {
  std::lock_guard lock(mutex_);
  Json entry = {{"id", RandomId("log_")},
                {"timestamp", NowMs()},
                {"level", level},
                {"operator_id", operator_id.empty() ? Json() : Json(operator_id)},
                {"task_index", nullptr},
                {"message", message},
                {"details", details.is_null() ? Json::object() : details}};
  logs_.push_back(entry);
  Bound(logs_, kLogEntries);
  return entry;
}

Json JobFeed::AddEvent(const std::string& event, const std::string& description, const Json& details,
                       const std::string& actor) {
  std::lock_guard lock(mutex_);
  Json entry = {{"id", RandomId("evt_")},
                {"timestamp", NowMs()},
                {"job_id", job_id_},
                {"event", event},
                {"actor", actor.empty() ? Json() : Json(actor)},
                {"description", description},
                {"details", details.is_null() ? Json::object() : details}};
  history_.push_back(entry);
  Bound(history_, kEventEntries);
  return entry;
}

void JobFeed::RestoreHistory(const std::string& kind, const Json& entry) {
  std::lock_guard lock(mutex_);
  if (kind == "error") {
    ++(entry.value("level", "") == "warning" ? warning_count_ : error_count_);
    errors_.push_back(entry);
  } else if (kind == "log") {
    logs_.push_back(entry);
  } else {
    history_.push_back(entry);
    for (const char* name : {"id", "actor"}) history_.back().emplace(name, nullptr);  // of before they had it
  }
}

void JobFeed::RestoreMetrics(const Json& metrics) {
  std::lock_guard lock(mutex_);
  restored_metrics_ = metrics;
}

Json JobFeed::Graph() const {
  std::lock_guard lock(mutex_);
  return graph_;
}

int JobFeed::Tasks() const {
  std::lock_guard lock(mutex_);
  int tasks = 0;
  if (graph_.is_object()) {
    for (const Json& node : graph_["nodes"]) tasks += node["parallelism"].get<int>();
  }
  return tasks;
}

bool JobFeed::captures() const {
  std::lock_guard lock(mutex_);
  return !outputs_.empty();
}

std::optional<std::string> JobFeed::Output(const std::string& operator_id, int64_t offset, int64_t limit,
                                           bool exact_numbers) const {
  std::lock_guard lock(mutex_);
  auto found = operator_id.empty() ? outputs_.begin() : outputs_.find(operator_id);
  if (found == outputs_.end()) return std::nullopt;
  const OutputRing& ring = found->second;
  const auto size = static_cast<int64_t>(ring.rows.size());
  // Records go as the text that they are: no number passes through a double.
  const auto shown = [&](const std::string& record) {
    return exact_numbers ? WithExactNumbers(record, ring.columns, 1) : record;
  };
  std::string out = "{\"data\":[";
  for (int64_t i = offset; i < std::min(size, offset + limit); ++i) {
    const OutputRow& row = ring.rows[static_cast<size_t>(i)];
    out += std::string(i > offset ? "," : "") + "{\"timestamp\":" + std::to_string(row.timestamp_ms) +
           ",\"op\":\"" + row.op + "\",\"record\":" + shown(row.record);
    if (!row.before.empty()) out += ",\"before\":" + shown(row.before);
    out += "}";
  }
  return out + "],\"operator_id\":" + Dump(found->first) +
         ",\"total_records\":" + std::to_string(ring.total) +
         ",\"has_more\":" + (offset + limit < size ? "true" : "false") +
         ",\"columns\":" + Dump(ring.columns) + ",\"updating\":" + (ring.updating ? "true" : "false") + "}";
}

Json JobFeed::Columns(const std::string& operator_id) const {
  std::lock_guard lock(mutex_);
  const auto found = outputs_.find(operator_id);
  return found == outputs_.end() ? Json::array() : found->second.columns;
}

std::vector<Json> JobFeed::ErrorsSince(int64_t since_ms) const {
  std::lock_guard lock(mutex_);
  std::vector<Json> out;
  for (auto entry = errors_.rbegin(); entry != errors_.rend(); ++entry) {
    if ((*entry)["timestamp"].get<int64_t>() < since_ms) break;
    out.push_back(*entry);
  }
  std::reverse(out.begin(), out.end());
  return out;
}

std::string JobFeed::OutputCsv(const std::string& operator_id) const {
  std::lock_guard lock(mutex_);
  auto found = operator_id.empty() ? outputs_.begin() : outputs_.find(operator_id);
  if (found == outputs_.end()) return "";
  const OutputRing& ring = found->second;
  std::string out = ring.updating ? "op" : "";
  for (const Json& column : ring.columns) out += (out.empty() ? "" : ",") + CsvCell(column["name"]);
  out += "\r\n";
  for (const OutputRow& row : ring.rows) {
    const Json record = Json::parse(row.record, nullptr, false);
    std::string line = ring.updating ? row.op : "";
    bool first = !ring.updating;
    for (const Json& column : ring.columns) {
      const std::string name = column["name"].get<std::string>();
      line +=
          (first ? "" : ",") + CsvCell(record.is_object() && record.contains(name) ? record[name] : Json());
      first = false;
    }
    out += line + "\r\n";
  }
  return out;
}

int64_t JobFeed::OutputTotal() const {
  std::lock_guard lock(mutex_);
  int64_t total = 0;
  for (const auto& [id, ring] : outputs_) total += ring.total;
  return total;
}

std::vector<Json> JobFeed::Errors() const {
  std::lock_guard lock(mutex_);
  return {errors_.begin(), errors_.end()};
}

std::vector<Json> JobFeed::Logs() const {
  std::lock_guard lock(mutex_);
  return {logs_.begin(), logs_.end()};
}

std::vector<Json> JobFeed::Events() const {
  std::lock_guard lock(mutex_);
  return {history_.begin(), history_.end()};
}

std::vector<FeedEvent> JobFeed::EventsAfter(int64_t after, size_t bytes_max,
                                            std::optional<std::pair<int64_t, int64_t>>* gap) const {
  std::lock_guard lock(mutex_);
  std::vector<FeedEvent> out;
  if (events_.empty()) return out;
  const int64_t oldest = events_.front().id;
  if (after + 1 < oldest) *gap = {after + 1, oldest - 1};
  size_t bytes = 0;
  const int64_t skip = std::max<int64_t>(0, after + 1 - oldest);
  for (auto i = static_cast<size_t>(skip); i < events_.size() && bytes < bytes_max; ++i) {
    bytes += events_[i].data.size();
    out.push_back(events_[i]);
  }
  return out;
}

bool JobFeed::ended() const {
  std::lock_guard lock(mutex_);
  return ended_;
}

void JobFeed::Touch(int64_t now_ms) {
  std::lock_guard lock(mutex_);
  last_read_ms_ = now_ms;
}

int64_t JobFeed::last_read_ms() const {
  std::lock_guard lock(mutex_);
  return last_read_ms_;
}

int64_t JobFeed::last_report_ms() const {
  std::lock_guard lock(mutex_);
  return last_report_ms_;
}

int64_t JobFeed::warnings() const {
  std::lock_guard lock(mutex_);
  return warning_count_;
}

}  // namespace laminar
