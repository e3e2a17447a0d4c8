#pragma once

/// Runs one operator at a given parallelism, as the runtime would: rows are dealt by key, watermarks go to
/// all subtasks, and a checkpoint can be taken and restored at another parallelism.

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "functions/register_aggregates.h"
#include "operators/accumulator_set.h"
#include "runtime/operator.h"
#include "support/collect_output.h"

namespace laminar {

/// A call of a built-in aggregate over columns of `input`.
inline AggregateSpec MakeAggregate(const std::string& name, const Schema& input, std::vector<int> args,
                                   bool retractable, int filter = -1, bool distinct = false) {
  AggregateBindArguments bind;
  for (const int column : args) bind.types.push_back(input.fields[column].type);
  bind.constants.resize(args.size());
  bind.retractable = retractable;
  for (const AggregateDefinition& definition : AggregateDefinitions()) {
    for (const std::string& known : definition.names) {
      if (known != name) continue;
      AggregateSpec spec;
      spec.function = definition.bind(bind).function;
      spec.args = std::move(args);
      spec.filter = filter;
      spec.distinct = distinct;
      return spec;
    }
  }
  CheckFailed(__FILE__, __LINE__, "", "no aggregate " + name);
}

class OperatorRunner {
 public:
  using Factory = std::function<std::unique_ptr<Operator>()>;

  OperatorRunner(Factory factory, std::vector<int> key_columns, int parallelism = 1)
      : factory_(std::move(factory)), key_columns_(std::move(key_columns)) {
    Start(parallelism, false);
  }

  OperatorRunner(OperatorRunner&&) = delete;  // operators point to the clock

  /// Deals the rows by key.
  void Push(const Batch& batch) {
    if (batch.empty()) return;
    std::vector<uint64_t> hashes(static_cast<size_t>(batch.num_rows));
    HashRows(PickColumns(batch, key_columns_), batch.num_rows, hashes.data());
    for (size_t subtask = 0; subtask < subtasks_.size(); ++subtask) {
      std::vector<int32_t> rows;
      for (int64_t row = 0; row < batch.num_rows; ++row) {
        if (SubtaskOf(KeyGroupOf(hashes[row]), static_cast<int>(subtasks_.size())) ==
            static_cast<int>(subtask)) {
          rows.push_back(static_cast<int32_t>(row));
        }
      }
      if (static_cast<int64_t>(rows.size()) == batch.num_rows) {
        subtasks_[subtask]->OnBatch(0, batch, out);
      } else if (!rows.empty()) {
        subtasks_[subtask]->OnBatch(0, Take(batch, rows), out);
      }
    }
  }
  void Watermark(int64_t watermark_us) {
    for (auto& subtask : subtasks_) subtask->OnWatermark(watermark_us, out);
  }
  void Flush() {
    for (auto& subtask : subtasks_) subtask->OnFlush(out);
  }
  /// Advances the clock and fires the timers that are due.
  void AdvanceTo(int64_t now_us) {
    clock.Set(now_us);
    for (auto& subtask : subtasks_) {
      for (int i = 0; i < 1000 && subtask->next_timer_us() && *subtask->next_timer_us() <= now_us; ++i) {
        subtask->OnTimer(now_us, out);
      }
    }
  }
  /// A barrier: flush and snapshot.
  void Checkpoint() {
    Flush();
    for (auto& subtask : subtasks_) subtask->Snapshot(*snapshot.Writer());
  }
  /// Throws the operators away and restores the last checkpoint.
  void Restore(int parallelism) { Start(parallelism, true); }
  void End() {
    Watermark(kMaxWatermark);
    Flush();
    for (auto& subtask : subtasks_) subtask->OnEnd(out);
  }

  Operator& subtask(size_t index) { return *subtasks_[index]; }
  const OperatorMetrics& metrics(size_t index = 0) const { return *metrics_[index]; }
  int64_t late_rows() const {
    int64_t rows = 0;
    for (const auto& metrics : metrics_) rows += metrics->late_rows.value();
    return rows;
  }

  CollectingOutput out;
  ManualClock clock;
  MemorySnapshot snapshot;

 private:
  void Start(int parallelism, bool restore) {
    subtasks_.clear();
    metrics_.clear();
    for (int i = 0; i < parallelism; ++i) {
      metrics_.push_back(std::make_unique<OperatorMetrics>());
      subtasks_.push_back(factory_());
      OperatorContext context;
      context.subtask = i;
      context.parallelism = parallelism;
      context.key_groups = KeyGroupRange::Of(i, parallelism);
      context.clock = &clock;
      context.metrics = metrics_.back().get();
      if (restore) subtasks_.back()->Restore(*snapshot.Reader(context.key_groups));
      subtasks_.back()->Open(context);
    }
  }

  Factory factory_;
  std::vector<int> key_columns_;
  std::vector<std::unique_ptr<OperatorMetrics>> metrics_;
  std::vector<std::unique_ptr<Operator>> subtasks_;
};

}  // namespace laminar
