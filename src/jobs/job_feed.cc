#include "jobs/job_feed.h"

#include <algorithm>
#include <limits>

#include "base/clock.h"
#include "base/random_id.h"

namespace laminar {

namespace {

constexpr size_t kOutputRows = 10'000;
constexpr size_t kErrorEntries = 1'000;
constexpr size_t kLogEntries = 10'000;
constexpr size_t kEventEntries = 1'000;
constexpr size_t kStreamEvents = 20'000;
constexpr size_t kStreamBytes = 8u << 20;
constexpr size_t kSamples = 3'600;  // one a second while something changes
constexpr size_t kRecordBytes = 4'096;
constexpr int64_t kNoWatermark = std::numeric_limits<int64_t>::min();
constexpr int64_t kEndWatermark = std::numeric_limits<int64_t>::max();

/// Places of the numbers in a subtask's report (Worker::SendMetrics).
enum Number {
  kNode,
  kSubtask,
  kIn,
  kOut,
  kBytes,
  kLate,
  kBad,
  kState,
  kWatermark,
  kBusy,
  kQueue,
  kQueueMax,
  kTask,
  kNumbers
};

int64_t NowMs() { return SystemClock().now_us() / 1000; }

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json WatermarkMs(int64_t watermark_us) {
  return watermark_us == kNoWatermark || watermark_us == kEndWatermark ? Json() : Json(watermark_us / 1000);
}

std::string KindOf(const std::string& operator_id) { return operator_id.substr(0, operator_id.find('_')); }

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
  Sample sample;
  sample.time_ms = last_report_ms_;
  for (size_t node = 0; node < ids_.size(); ++node) sample.operators.push_back(Number(node));
  samples_.push_back(std::move(sample));
  Bound(samples_, kSamples);
}

void JobFeed::OnProcessEnded() {
  std::lock_guard lock(mutex_);
  for (size_t node = 0; node < ids_.size() && node < before_.size(); ++node) before_[node] = Number(node);
  for (auto& of_node : subtasks_) of_node.clear();
}

OperatorNumbers JobFeed::Number(size_t node) const {
  OperatorNumbers sum = node < before_.size() ? before_[node] : OperatorNumbers{};
  sum.state_rows = sum.queue_bytes = sum.queue_bytes_max = 0;
  sum.watermark_us = subtasks_[node].empty() ? kNoWatermark : kEndWatermark;
  for (const auto& n : subtasks_[node]) {
    sum.rows_in += n[kIn];
    sum.rows_out += n[kOut];
    sum.bytes_in += n[kBytes];
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
  events_.push_back({next_event_++, std::move(name), std::move(data)});
  while (events_.size() > kStreamEvents || (event_bytes_ > kStreamBytes && events_.size() > 1)) {
    event_bytes_ -= events_.front().data.size();
    events_.pop_front();
  }
}

Json JobFeed::AddError(const std::string& level, const std::string& operator_id, int task_index,
                       const std::string& message, const std::string& details, const std::string& record) {
  std::lock_guard lock(mutex_);
  const int64_t now_ms = NowMs();
  ++(level == "warning" ? warning_count_ : error_count_);
  for (auto entry = errors_.rbegin(); entry != errors_.rend(); ++entry) {
    if ((*entry)["timestamp"].get<int64_t>() + 1000 <= now_ms) break;
    if ((*entry)["message"] == message && (*entry)["operator_id"] == operator_id) {
      (*entry)["count"] = (*entry)["count"].get<int64_t>() + 1;
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
                {"count", 1}};
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

Json JobFeed::AddEvent(const std::string& event, const std::string& description, const Json& details) {
  std::lock_guard lock(mutex_);
  Json entry = {{"timestamp", NowMs()},
                {"job_id", job_id_},
                {"event", event},
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
  }
}

void JobFeed::RestoreMetrics(const Json& metrics) {
  std::lock_guard lock(mutex_);
  restored_metrics_ = metrics;
}

const JobFeed::Sample* JobFeed::SampleBefore(int64_t time_ms) const {
  const Sample* found = nullptr;
  for (auto sample = samples_.rbegin(); sample != samples_.rend(); ++sample) {
    found = &*sample;
    if (sample->time_ms <= time_ms) break;
  }
  return found;
}

JobFeed::Rates JobFeed::RatesOf(size_t node, int64_t now_ms, int64_t window_ms) const {
  Rates out;
  if (samples_.empty()) return out;
  const Sample* old = SampleBefore(now_ms - window_ms);
  const int64_t reach_ms = std::max<int64_t>(1000, std::min(window_ms, now_ms - old->time_ms));
  if (node >= old->operators.size()) return out;
  const OperatorNumbers now = Number(node);
  const OperatorNumbers& then = old->operators[node];
  auto per_second = [&](int64_t a, int64_t b) {
    return std::max(0.0, static_cast<double>(a - b) * 1000.0 / static_cast<double>(reach_ms));
  };
  out.in = per_second(now.rows_in, then.rows_in);
  out.out = per_second(now.rows_out, then.rows_out);
  out.bytes = per_second(now.bytes_in, then.bytes_in);
  const double subtasks = static_cast<double>(std::max<size_t>(1, subtasks_[node].size()));
  out.busy = std::min(1.0, per_second(now.busy_us, then.busy_us) / 1e6 / subtasks);
  return out;
}

double JobFeed::Backpressure(size_t node) const {
  // How full the queues of those are that this operator feeds.
  double worst = 0;
  if (!graph_.is_object()) return 0;
  for (const Json& edge : graph_["edges"]) {
    if (edge["src_id"].get<int64_t>() != static_cast<int64_t>(node)) continue;
    const auto consumer = static_cast<size_t>(edge["dest_id"].get<int64_t>());
    const OperatorNumbers n = Number(consumer);
    if (n.queue_bytes_max > 0)
      worst = std::max(
          worst, std::min(1.0, static_cast<double>(n.queue_bytes) / static_cast<double>(n.queue_bytes_max)));
  }
  return worst;
}

int64_t JobFeed::ErrorsOf(const std::string& operator_id, int64_t since_ms) const {
  int64_t count = 0;
  for (const Json& entry : errors_) {
    if (entry["operator_id"] == operator_id && entry["timestamp"].get<int64_t>() >= since_ms)
      count += entry["count"].get<int64_t>();
  }
  return count;
}

Json JobFeed::OperatorRow(size_t node, int64_t now_ms) const {
  const OperatorNumbers n = Number(node);
  const Rates rates = RatesOf(node, now_ms, 10'000);
  double skew = 1;
  if (subtasks_[node].size() > 1) {
    int64_t most = 0, sum = 0;
    for (const auto& s : subtasks_[node]) {
      most = std::max(most, s[kIn] + s[kOut]);
      sum += s[kIn] + s[kOut];
    }
    if (sum > 0)
      skew =
          static_cast<double>(most) * static_cast<double>(subtasks_[node].size()) / static_cast<double>(sum);
  }
  const double fill =
      n.queue_bytes_max > 0 ? static_cast<double>(n.queue_bytes) / static_cast<double>(n.queue_bytes_max) : 0;
  return {{"operator_id", ids_[node]},
          {"operator_name", graph_["nodes"][node]["description"]},
          {"kind", KindOf(ids_[node])},
          {"parallelism", graph_["nodes"][node]["parallelism"]},
          {"records_in", n.rows_in},
          {"records_out", n.rows_out},
          {"bytes_in", n.bytes_in},
          {"errors", ErrorsOf(ids_[node], 0)},
          {"rate_in", rates.in},
          {"rate_out", rates.out},
          {"bytes_rate", rates.bytes},
          {"busy", rates.busy},
          {"idle", std::max(0.0, 1.0 - rates.busy)},
          {"backpressure", Backpressure(node)},
          {"queue_fill", std::min(1.0, fill)},
          {"watermark", WatermarkMs(n.watermark_us)},
          {"state_rows", n.state_rows},
          {"late_records", n.late},
          {"bad_records", n.bad},
          {"skew", skew},
          {"errors_5m", ErrorsOf(ids_[node], now_ms - 300'000)}};
}

Json JobFeed::Totals() const {
  std::lock_guard lock(mutex_);
  if (ids_.empty() && restored_metrics_.is_object()) {
    Json out;
    for (const char* name : {"records_in", "records_out", "bytes_in", "bytes_out", "errors", "warnings"})
      out[name] = restored_metrics_.value(name, int64_t{0});
    return out;
  }
  int64_t in = 0, out = 0, bytes_in = 0, bad = 0;
  for (size_t node = 0; node < ids_.size(); ++node) {
    const OperatorNumbers n = Number(node);
    const std::string kind = KindOf(ids_[node]);
    if (kind == "source") in += n.rows_out;
    if (kind == "sink") out += n.rows_in;
    if (kind == "source") bytes_in += n.bytes_in;
    bad += n.bad;
  }
  return {{"records_in", in}, {"records_out", out},     {"bytes_in", bytes_in},
          {"bytes_out", 0},   {"errors", error_count_}, {"warnings", warning_count_ + bad}};
}

Json JobFeed::Metrics(int64_t now_ms, int64_t window_seconds) const {
  Json out = Totals();
  std::lock_guard lock(mutex_);
  if (ids_.empty() && restored_metrics_.is_object()) return restored_metrics_;
  int64_t late = 0, watermark_us = kEndWatermark;
  double throughput = 0, backpressure = 0;
  Json operators = Json::array();
  bool any_sink = false;
  for (size_t node = 0; node < ids_.size(); ++node) {
    const OperatorNumbers n = Number(node);
    late += n.late;
    const std::string kind = KindOf(ids_[node]);
    if (kind == "source") throughput += RatesOf(node, now_ms, window_seconds * 1000).out;
    if (kind == "sink") {
      any_sink = true;
      watermark_us = std::min(watermark_us, n.watermark_us);
    }
    backpressure = std::max(backpressure, Backpressure(node));
    operators.push_back(OperatorRow(node, now_ms));
  }
  out["late_records"] = late;
  out["latency_p50"] = nullptr;
  out["latency_p95"] = nullptr;
  out["latency_p99"] = nullptr;
  out["throughput"] = ended_ ? 0.0 : throughput;
  out["backpressure"] = backpressure;
  out["state_bytes"] = nullptr;
  out["watermark"] = any_sink ? WatermarkMs(watermark_us) : Json();
  out["window_seconds"] = window_seconds;
  out["operators"] = std::move(operators);
  return out;
}

Json JobFeed::MetricGroups(int64_t now_ms) const {
  std::lock_guard lock(mutex_);
  Json out = {{"sources", {{"total_records", 0}, {"throughput", 0.0}, {"operators", Json::array()}}},
              {"transforms", {{"total_records", 0}, {"throughput", 0.0}, {"operators", Json::array()}}},
              {"sinks", {{"total_records", 0}, {"throughput", 0.0}, {"operators", Json::array()}}}};
  for (size_t node = 0; node < ids_.size(); ++node) {
    const std::string kind = KindOf(ids_[node]);
    Json& group = out[kind + "s"];
    const OperatorNumbers n = Number(node);
    const Rates rates = RatesOf(node, now_ms, 60'000);
    const bool source = kind == "source";
    group["total_records"] = group["total_records"].get<int64_t>() + (source ? n.rows_out : n.rows_in);
    group["throughput"] = group["throughput"].get<double>() + (source ? rates.out : rates.in);
    group["operators"].push_back(OperatorRow(node, now_ms));
  }
  return out;
}

Json JobFeed::Operators() const {
  std::lock_guard lock(mutex_);
  Json out = Json::array();
  for (size_t node = 0; node < ids_.size(); ++node) {
    const Json& spec = graph_["nodes"][node];
    const OperatorNumbers n = Number(node);
    out.push_back({{"operator_id", ids_[node]},
                   {"operator_name", spec["operator"]},
                   {"description", spec["description"]},
                   {"kind", spec["kind"]},
                   {"parallelism", spec["parallelism"]},
                   {"watermark", WatermarkMs(n.watermark_us)},
                   {"state_bytes", nullptr},
                   {"state_rows", n.state_rows}});
  }
  return out;
}

Json JobFeed::Operator(const std::string& operator_id, int64_t now_ms) const {
  std::lock_guard lock(mutex_);
  const auto found = std::find(ids_.begin(), ids_.end(), operator_id);
  if (found == ids_.end()) return nullptr;
  const auto node = static_cast<size_t>(found - ids_.begin());
  const OperatorNumbers n = Number(node);
  const double busy = RatesOf(node, now_ms, 10'000).busy;
  Json subtasks = Json::array();
  for (size_t i = 0; i < subtasks_[node].size(); ++i) {
    const auto& s = subtasks_[node][i];
    const double fill =
        s[kQueueMax] > 0 ? static_cast<double>(s[kQueue]) / static_cast<double>(s[kQueueMax]) : 0;
    subtasks.push_back({{"subtask_index", i},
                        {"records_in", s[kIn]},
                        {"records_out", s[kOut]},
                        {"bytes_in", s[kBytes]},
                        {"bytes_out", 0},
                        {"backpressure", Backpressure(node)},
                        {"queue_fill", std::min(1.0, fill)},
                        {"watermark", WatermarkMs(s[kWatermark])}});
  }
  Json out = {{"operator_id", operator_id},
              {"operator_name", graph_["nodes"][node]["description"]},
              {"subtasks", graph_["nodes"][node]["parallelism"]},
              {"metrics",
               {{"records_in", n.rows_in},
                {"records_out", n.rows_out},
                {"bytes_in", n.bytes_in},
                {"bytes_out", 0},
                {"errors", ErrorsOf(operator_id, 0)},
                {"warnings", n.bad},
                {"backpressure", Backpressure(node)},
                {"idle_time_percent", 100.0 * (1.0 - busy)}}},
              {"subtask_metrics", std::move(subtasks)}};
  if (KindOf(operator_id) == "source") {
    out["lag"] = nullptr;
    out["partitions"] = nullptr;
  }
  return out;
}

Json JobFeed::Watermarks(int64_t now_ms) const {
  std::lock_guard lock(mutex_);
  Json operators = Json::array();
  for (size_t node = 0; node < ids_.size(); ++node) {
    Json subtasks = Json::array();
    const OperatorNumbers n = Number(node);
    for (size_t i = 0; i < subtasks_[node].size(); ++i) {
      const int64_t watermark_us = subtasks_[node][i][kWatermark];
      subtasks.push_back({{"subtask_index", i},
                          {"watermark", WatermarkMs(watermark_us)},
                          {"ended", watermark_us == kEndWatermark},
                          {"holds_back", subtasks_[node].size() > 1 && watermark_us == n.watermark_us}});
    }
    const Json watermark = WatermarkMs(n.watermark_us);
    operators.push_back({{"operator_id", ids_[node]},
                         {"watermark", watermark},
                         {"lag_ms", watermark.is_null() ? Json() : Json(now_ms - watermark.get<int64_t>())},
                         {"subtasks", std::move(subtasks)}});
  }
  return {{"operators", std::move(operators)}};
}

Json JobFeed::History(const std::vector<std::string>& names, const std::string& operator_id, int64_t from_ms,
                      int64_t to_ms, int64_t step_ms) const {
  std::lock_guard lock(mutex_);
  Json times = Json::array(), series = Json::object();
  for (const std::string& name : names) series[name] = Json::array();
  const Sample* last = nullptr;
  for (const Sample& sample : samples_) {
    if (sample.time_ms < from_ms || sample.time_ms > to_ms) {
      if (sample.time_ms < from_ms) last = &sample;
      continue;
    }
    if (last && sample.time_ms - last->time_ms < step_ms && !times.empty()) continue;
    const double seconds = last ? static_cast<double>(sample.time_ms - last->time_ms) / 1000.0 : 1.0;
    OperatorNumbers now{}, then{};
    double backpressure = 0;
    for (size_t node = 0; node < ids_.size() && node < sample.operators.size(); ++node) {
      const std::string kind = KindOf(ids_[node]);
      const bool chosen = operator_id.empty() ? true : ids_[node] == operator_id;
      if (!chosen) continue;
      const OperatorNumbers& n = sample.operators[node];
      const OperatorNumbers none{};
      const OperatorNumbers& p = last && node < last->operators.size() ? last->operators[node] : none;
      if (!operator_id.empty() || kind == "sink") {
        now.rows_in += n.rows_in;
        then.rows_in += p.rows_in;
      }
      if (!operator_id.empty() || kind == "source") {
        now.rows_out += n.rows_out;
        then.rows_out += p.rows_out;
      }
      now.bytes_in += n.bytes_in;
      then.bytes_in += p.bytes_in;
      now.late += n.late;
      now.busy_us += n.busy_us;
      then.busy_us += p.busy_us;
      now.state_rows += n.state_rows;
      if (n.queue_bytes_max > 0)
        backpressure = std::max(backpressure,
                                static_cast<double>(n.queue_bytes) / static_cast<double>(n.queue_bytes_max));
    }
    times.push_back(sample.time_ms);
    for (const std::string& name : names) {
      Json value;
      if (name == "rate_in")
        value = operator_id.empty() ? static_cast<double>(now.rows_out - then.rows_out) / seconds
                                    : static_cast<double>(now.rows_in - then.rows_in) / seconds;
      else if (name == "rate_out")
        value = operator_id.empty() ? static_cast<double>(now.rows_in - then.rows_in) / seconds
                                    : static_cast<double>(now.rows_out - then.rows_out) / seconds;
      else if (name == "bytes_rate")
        value = static_cast<double>(now.bytes_in - then.bytes_in) / seconds;
      else if (name == "busy")
        value = std::min(1.0, static_cast<double>(now.busy_us - then.busy_us) / 1e6 / seconds);
      else if (name == "late_records")
        value = now.late;
      else if (name == "state_rows")
        value = now.state_rows;
      else if (name == "backpressure")
        value = std::min(1.0, backpressure);
      series[name].push_back(value);
    }
    last = &sample;
  }
  return {{"times", std::move(times)},
          {"series", std::move(series)},
          {"operator_id", operator_id.empty() ? Json() : Json(operator_id)}};
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

std::optional<Json> JobFeed::Output(const std::string& operator_id, int64_t offset, int64_t limit) const {
  std::lock_guard lock(mutex_);
  auto found = operator_id.empty() ? outputs_.begin() : outputs_.find(operator_id);
  if (found == outputs_.end()) return std::nullopt;
  const OutputRing& ring = found->second;
  Json data = Json::array();
  const auto size = static_cast<int64_t>(ring.rows.size());
  for (int64_t i = offset; i < std::min(size, offset + limit); ++i) {
    const OutputRow& row = ring.rows[static_cast<size_t>(i)];
    Json entry = {
        {"timestamp", row.timestamp_ms}, {"op", row.op}, {"record", Json::parse(row.record, nullptr, false)}};
    if (!row.before.empty()) entry["before"] = Json::parse(row.before, nullptr, false);
    data.push_back(std::move(entry));
  }
  return Json{{"data", std::move(data)},     {"operator_id", found->first},
              {"total_records", ring.total}, {"has_more", offset + limit < size},
              {"columns", ring.columns},     {"updating", ring.updating}};
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
