#pragma once

/// What a running job reports, kept in bounded rings for those who ask: metrics, captured output, errors,
/// log, events. Outlives the job's process and its restarts. Thread-safe.

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace laminar {

using Json = nlohmann::json;

struct OutputRow {
  int64_t timestamp_ms = 0;
  std::string op;      ///< c, u, d
  std::string record;  ///< JSON text
  std::string before;  ///< JSON text, or empty
};

/// A captured output: a SELECT without INSERT, or a sink of a preview.
struct OutputRing {
  Json columns = Json::array();
  bool updating = false;
  int64_t first = 0;  ///< number of rows.front() among all rows
  int64_t total = 0;  ///< rows that came, also those that are not kept
  std::deque<OutputRow> rows;
};

/// One thing for readers of the output stream, in order.
struct FeedEvent {
  int64_t id = 0;
  std::string name;  ///< output, state, error, schema, end
  std::string data;  ///< JSON text
  int64_t rows = 0;  ///< output
};

/// Numbers of one operator, summed over subtasks.
struct OperatorNumbers {
  int64_t rows_in = 0, rows_out = 0, bytes_in = 0, bytes_out = 0, late = 0, splits = 0, bad = 0,
          state_rows = 0, busy_us = 0;
  int64_t queue_bytes = 0, queue_bytes_max = 0;
  int64_t watermark_us = 0;  ///< lowest; INT64_MIN: none
};

class JobFeed {
 public:
  explicit JobFeed(std::string job_id) : job_id_(std::move(job_id)) {}

  // From the job's supervisor.
  void SetPlan(const Json& graph, const Json& outputs);
  void OnMetrics(const Json& message);
  void OnOutput(const Json& message);
  void OnCheckpoint(const Json& message);
  void OnState(const std::string& state, const std::string& detail);
  /// A restarted process counts from nothing: what it had counted so far is kept and added.
  void OnProcessEnded();
  Json AddError(const std::string& level, const std::string& operator_id, int task_index,
                const std::string& message, const std::string& details, const std::string& record,
                int64_t bad_records = 0);
  Json AddLog(const std::string& level, const std::string& message, const Json& details,
              const std::string& operator_id = "");
  Json AddEvent(const std::string& event, const std::string& description, const Json& details,
                const std::string& actor);
  void OnEnd(const std::string& reason);
  /// From the store, after a restart of the server.
  void RestoreHistory(const std::string& kind, const Json& entry);
  void RestoreMetrics(const Json& metrics);

  // For readers. Times are now, in milliseconds.
  Json Metrics(int64_t now_ms, int64_t window_seconds) const;
  Json MetricGroups(int64_t now_ms) const;
  Json Operators() const;
  /// Null: no such operator.
  Json Operator(const std::string& operator_id, int64_t now_ms) const;
  Json History(const std::vector<std::string>& names, const std::string& operator_id, int64_t from_ms,
               int64_t to_ms, int64_t step_ms) const;
  Json Watermarks(int64_t now_ms) const;
  /// What the job record shows: records_in … warnings.
  Json Totals() const;
  Json Graph() const;
  int Tasks() const;

  bool captures() const;
  /// {data, operator_id, total_records, has_more, columns, updating} as text; nullopt: no such operator.
  std::optional<std::string> Output(const std::string& operator_id, int64_t offset, int64_t limit,
                                    bool exact_numbers) const;
  /// Of a captured output: [{name, data_type}].
  Json Columns(const std::string& operator_id) const;
  /// What a reader of the output wants to know each second: {sources[{operator_id, records}], records_out,
  /// watermark}.
  Json Progress() const;
  /// For a list of pipelines.
  Json Summary(int64_t now_ms) const;
  std::string OutputCsv(const std::string& operator_id) const;
  int64_t OutputTotal() const;
  std::vector<Json> Errors() const;
  std::vector<Json> ErrorsSince(int64_t since_ms) const;
  std::vector<Json> Logs() const;
  std::vector<Json> Events() const;
  /// Events behind `after`, at most `bytes_max` of data; `gap` tells how far back the ring does not reach.
  std::vector<FeedEvent> EventsAfter(int64_t after, size_t bytes_max,
                                     std::optional<std::pair<int64_t, int64_t>>* gap) const;
  bool ended() const;
  /// Somebody reads the output now.
  void Touch(int64_t now_ms);
  int64_t last_read_ms() const;
  /// Of the last message that shows progress.
  int64_t last_report_ms() const;
  int64_t warnings() const;

 private:
  /// Rows by latency bucket (base/metrics.h) since the process began, by sink node.
  using Latencies = std::map<size_t, std::map<int, int64_t>>;
  struct Sample {
    int64_t time_ms = 0;
    std::vector<OperatorNumbers> operators;  // [nodes]
    Latencies latency;
  };
  struct Split {
    int subtask;
    std::string name;
    int64_t watermark_us, last_row_us;
    bool idle;
    std::optional<int64_t> last_event_us;  ///< the highest event time
  };
  struct Rates {
    double in = 0, out = 0, bytes = 0, busy = 0;
  };

  void Push(std::string name, std::string data);
  OperatorNumbers Number(size_t node) const;
  const Sample* SampleBefore(int64_t time_ms) const;
  void TakeLatency(const Json& reported);
  Json LatencyMs(std::optional<size_t> node, double part, int64_t now_ms, int64_t window_ms) const;
  Json StateBytes(const std::string& operator_id) const;
  Json SplitsJson(size_t node, int64_t now_ms) const;
  Rates RatesOf(size_t node, int64_t now_ms, int64_t window_ms) const;
  Json OperatorRow(size_t node, int64_t now_ms) const;
  double Backpressure(size_t node) const;
  int64_t ErrorsOf(const std::string& operator_id, int64_t since_ms) const;

  const std::string job_id_;
  mutable std::mutex mutex_;
  // All below guarded by mutex_.
  Json graph_;
  std::vector<std::string> ids_;                             // [nodes]
  std::vector<OperatorNumbers> before_;                      // [nodes]: counts of earlier processes
  std::vector<std::vector<std::vector<int64_t>>> subtasks_;  // [nodes][subtask]: numbers as reported
  std::vector<int> task_of_head_;
  std::deque<Sample> samples_;
  std::deque<Sample> minutes_;
  Latencies latency_;
  std::vector<std::vector<Split>> splits_;      // [nodes]
  std::map<std::string, int64_t> state_bytes_;  // by operator, in the last checkpoint
  bool has_checkpoint_ = false;
  std::map<std::string, OutputRing> outputs_;
  std::deque<FeedEvent> events_;
  size_t event_bytes_ = 0;
  int64_t next_event_ = 1;
  std::deque<Json> errors_, logs_, history_;
  int64_t error_count_ = 0, warning_count_ = 0;
  Json restored_metrics_;
  bool ended_ = false;
  int64_t last_read_ms_ = 0, last_report_ms_ = 0;
};

}  // namespace laminar
