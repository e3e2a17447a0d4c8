// What a job feed makes of the numbers it was given: rates, percentiles, history.

#include <algorithm>
#include <cmath>

#include "base/metrics.h"
#include "jobs/job_feed.h"
#include "jobs/job_numbers.h"

namespace laminar {

namespace {
constexpr size_t kSparkSeconds = 60;
}  // namespace

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
  const bool sink = KindOf(ids_[node]) == "sink";
  out.bytes = sink ? per_second(now.bytes_out, then.bytes_out) : per_second(now.bytes_in, then.bytes_in);
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
          {"bytes_out", n.bytes_out},
          {"errors", ErrorsOf(ids_[node], 0)},
          {"rate_in", rates.in},
          {"rate_out", rates.out},
          {"bytes_rate", rates.bytes},
          {"busy", rates.busy},
          {"idle", std::max(0.0, 1.0 - rates.busy)},
          {"backpressure", Backpressure(node)},
          {"queue_fill", std::min(1.0, fill)},
          {"watermark", WatermarkMs(n.watermark_us)},
          {"latency_p99", LatencyMs(node, 0.99, now_ms, 60'000)},
          {"state_bytes", StateBytes(ids_[node])},
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
  int64_t in = 0, out = 0, bytes_in = 0, bytes_out = 0, bad = 0;
  for (size_t node = 0; node < ids_.size(); ++node) {
    const OperatorNumbers n = Number(node);
    const std::string kind = KindOf(ids_[node]);
    if (kind == "source") in += n.rows_out;
    if (kind == "sink") out += n.rows_in;
    if (kind == "sink") bytes_out += n.bytes_out;
    if (kind == "source") bytes_in += n.bytes_in;
    bad += n.bad;
  }
  return {{"records_in", in},       {"records_out", out},     {"bytes_in", bytes_in},
          {"bytes_out", bytes_out}, {"errors", error_count_}, {"warnings", warning_count_ + bad}};
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
  for (const auto& [name, part] :
       {std::pair{"latency_p50", 0.5}, {"latency_p95", 0.95}, {"latency_p99", 0.99}})
    out[name] = LatencyMs(std::nullopt, part, now_ms, window_seconds * 1000);
  out["throughput"] = ended_ ? 0.0 : throughput;
  out["backpressure"] = backpressure;
  out["state_bytes"] = StateBytes("");
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
                   {"state_bytes", StateBytes(ids_[node])},
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
                        {"bytes_out", s[kBytesOut]},
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
                {"bytes_out", n.bytes_out},
                {"errors", ErrorsOf(operator_id, 0)},
                {"warnings", n.bad},
                {"backpressure", Backpressure(node)},
                {"idle_time_percent", 100.0 * (1.0 - busy)}}},
              {"subtask_metrics", std::move(subtasks)}};
  if (KindOf(operator_id) == "source") {
    out["lag"] = nullptr;
    out["partitions"] = n.splits;
  }
  return out;
}

Json JobFeed::Progress() const {
  std::lock_guard lock(mutex_);
  Json sources = Json::array();
  int64_t out = 0, watermark_us = kEndWatermark;
  for (size_t node = 0; node < ids_.size(); ++node) {
    const OperatorNumbers n = Number(node);
    const std::string kind = KindOf(ids_[node]);
    if (kind == "source") sources.push_back({{"operator_id", ids_[node]}, {"records", n.rows_out}});
    if (kind != "sink") continue;
    out += n.rows_in;
    watermark_us = std::min(watermark_us, n.watermark_us);
  }
  return {{"sources", std::move(sources)}, {"records_out", out}, {"watermark", WatermarkMs(watermark_us)}};
}

Json JobFeed::Summary(int64_t now_ms) const {
  std::lock_guard lock(mutex_);
  double throughput = 0, backpressure = 0;
  int64_t watermark_us = kEndWatermark, errors = 0;
  std::vector<double> spark(kSparkSeconds, 0);
  for (size_t node = 0; node < ids_.size(); ++node) {
    const std::string kind = KindOf(ids_[node]);
    backpressure = std::max(backpressure, Backpressure(node));
    if (kind == "sink") watermark_us = std::min(watermark_us, Number(node).watermark_us);
    if (kind != "source") continue;
    throughput += RatesOf(node, now_ms, 10'000).out;
    for (size_t i = samples_.size(); i-- > 1;) {
      const int64_t age = (now_ms - samples_[i].time_ms) / 1000;
      if (age >= static_cast<int64_t>(spark.size())) break;
      const Sample &at = samples_[i], &before = samples_[i - 1];
      if (age < 0 || node >= at.operators.size() || node >= before.operators.size()) continue;
      spark[spark.size() - 1 - static_cast<size_t>(age)] += std::max<double>(
          0, static_cast<double>(at.operators[node].rows_out - before.operators[node].rows_out));
    }
  }
  for (const Json& entry : errors_) {
    if (entry["timestamp"].get<int64_t>() >= now_ms - 300'000) errors += entry["count"].get<int64_t>();
  }
  const Json watermark = ended_ ? Json() : WatermarkMs(watermark_us);
  return {{"throughput", ended_ ? 0.0 : throughput},
          {"backpressure", ended_ ? 0.0 : backpressure},
          {"watermark_lag_ms", watermark.is_null() ? Json() : Json(now_ms - watermark.get<int64_t>())},
          {"lag", nullptr},
          {"errors", error_count_},
          {"errors_5m", errors},
          {"spark", std::move(spark)}};
}

/// Splits of a source where their watermarks are made.
Json JobFeed::SplitsJson(size_t node, int64_t now_ms) const {
  Json out = Json::array();
  int64_t lowest = kEndWatermark;
  for (const Split& split : splits_[node]) {
    if (!split.idle) lowest = std::min(lowest, split.watermark_us);
  }
  for (const Split& split : splits_[node]) {
    const Json watermark = WatermarkMs(split.watermark_us);
    out.push_back(
        {{"split", split.name},
         {"subtask_index", split.subtask},
         {"watermark", watermark},
         {"watermark_lag_ms", watermark.is_null() ? Json() : Json(now_ms - watermark.get<int64_t>())},
         {"last_row_at", split.last_row_us > 0 ? Json(split.last_row_us / 1000) : Json()},
         {"last_event_time", split.last_event_us ? Json(*split.last_event_us / 1000) : Json()},
         {"idle", split.idle},
         {"lag", nullptr},
         {"holds_back", !split.idle && split.watermark_us == lowest && splits_[node].size() > 1}});
  }
  return out;
}

/// Of rows that reached `node` (nullopt: any sink) within the window, in milliseconds; null without any.
Json JobFeed::LatencyMs(std::optional<size_t> node, double part, int64_t now_ms, int64_t window_ms) const {
  const Sample* then = SampleBefore(now_ms - window_ms);
  if (then == nullptr) return nullptr;
  const bool from_start = then->time_ms > now_ms - window_ms;  // all of the job lies within
  std::map<int, int64_t> rows;
  int64_t total = 0;
  for (const auto& [sink, buckets] : latency_) {
    if (node && sink != *node) continue;
    const auto old = then->latency.find(sink);
    for (const auto& [bucket, count] : buckets) {
      int64_t before = 0;
      if (!from_start && old != then->latency.end()) {
        const auto found = old->second.find(bucket);
        if (found != old->second.end()) before = found->second;
      }
      const int64_t more = before > count ? count : count - before;  // a new process counts from nothing
      rows[bucket] += more;
      total += more;
    }
  }
  if (total == 0) return nullptr;
  const double wanted = part * static_cast<double>(total);
  double seen = 0;
  for (const auto& [bucket, count] : rows) {
    if (seen + static_cast<double>(count) >= wanted && count > 0) {
      const auto low = static_cast<double>(LatencyHistogram::LowerUs(bucket));
      const auto high = static_cast<double>(LatencyHistogram::LowerUs(bucket + 1));
      const double us = low + (high - low) * (wanted - seen) / static_cast<double>(count);
      return std::round(us) / 1000.0;
    }
    seen += static_cast<double>(count);
  }
  return nullptr;
}

/// In the last checkpoint; null before the first. Empty id: of all.
Json JobFeed::StateBytes(const std::string& operator_id) const {
  if (!has_checkpoint_) return nullptr;
  int64_t sum = 0;
  for (const auto& [id, bytes] : state_bytes_) {
    if (operator_id.empty() || id == operator_id) sum += bytes;
  }
  return sum;
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
                         {"subtasks", std::move(subtasks)},
                         {"splits", SplitsJson(node, now_ms)}});
  }
  return {{"operators", std::move(operators)}};
}

Json JobFeed::History(const std::vector<std::string>& names, const std::string& operator_id, int64_t from_ms,
                      int64_t to_ms, int64_t step_ms) const {
  std::lock_guard lock(mutex_);
  Json times = Json::array(), series = Json::object();
  for (const std::string& name : names) series[name] = Json::array();
  const Sample* last = nullptr;
  // Minutes for what the seconds do not reach back to.
  std::vector<const Sample*> all;
  for (const Sample& sample : minutes_) {
    if (samples_.empty() || sample.time_ms < samples_.front().time_ms) all.push_back(&sample);
  }
  for (const Sample& sample : samples_) all.push_back(&sample);
  for (const Sample* each : all) {
    const Sample& sample = *each;
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
      if (kind == "sink" || !operator_id.empty()) {
        now.bytes_out += n.bytes_out;
        then.bytes_out += p.bytes_out;
      }
      if (n.watermark_us != kNoWatermark && n.watermark_us != kEndWatermark)
        now.watermark_us =
            now.watermark_us == 0 ? n.watermark_us : std::min(now.watermark_us, n.watermark_us);
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
      else if (name == "bytes_out_rate")
        value = static_cast<double>(now.bytes_out - then.bytes_out) / seconds;
      else if (name == "watermark_lag_ms")
        value = now.watermark_us == 0 ? Json() : Json(sample.time_ms - now.watermark_us / 1000);
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

}  // namespace laminar
