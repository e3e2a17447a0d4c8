#pragma once

/// For tests of joins: runs an operator at some parallelism, rows going to subtasks by key as the runtime
/// does, and carries its state over to another parallelism.

#include <arrow/array.h>

#include <functional>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "functions/expression.h"
#include "operators/join_rows.h"
#include "runtime/operator.h"
#include "state/snapshot.h"
#include "support/batch_text.h"
#include "support/collect_output.h"
#include "types/row_codec.h"

namespace laminar {

/// left < right over BIGINT columns; NULL when one is.
class LessThan final : public Expression {
 public:
  LessThan(ExpressionPtr left, ExpressionPtr right)
      : Expression(Type::Boolean()), left_(std::move(left)), right_(std::move(right)) {}
  arrow::Result<arrow::Datum> Evaluate(const Batch& rows, const EvalContext& context) const override {
    const auto left = EvaluateToArray(*left_, rows, context), right = EvaluateToArray(*right_, rows, context);
    arrow::BooleanBuilder builder;
    for (int64_t row = 0; row < rows.num_rows; ++row) {
      if (left->IsNull(row) || right->IsNull(row)) {
        OrThrow(builder.AppendNull());
      } else {
        OrThrow(builder.Append(left->data()->GetValues<int64_t>(1)[row] <
                               right->data()->GetValues<int64_t>(1)[row]));
      }
    }
    return arrow::Datum(OrThrow(builder.Finish()));
  }
  std::string ToString() const override { return left_->ToString() + " < " + right_->ToString(); }
  std::vector<ExpressionPtr> children() const override { return {left_, right_}; }
  ExpressionPtr WithChildren(std::vector<ExpressionPtr> children) const override {
    return std::make_shared<LessThan>(children[0], children[1]);
  }

 private:
  ExpressionPtr left_, right_;
};

class JoinTester {
 public:
  JoinTester(JoinSpec spec, std::function<std::unique_ptr<Operator>()> make, int parallelism = 1)
      : spec_(std::move(spec)), make_(std::move(make)) {
    Start(parallelism, false);
  }

  /// "+ 1 a\n- 2 b", in the input's schema.
  void Add(int input, std::string_view rows) { Add(input, ParseBatch(rows, schema(input))); }
  void Add(int input, const Batch& batch) {
    std::vector<std::shared_ptr<arrow::Array>> keys;
    for (int key : input == kLeftInput ? spec_.left_keys : spec_.right_keys)
      keys.push_back(batch.columns[key]);
    std::vector<uint64_t> hashes(static_cast<size_t>(batch.num_rows));
    HashRows(keys, batch.num_rows, hashes.data());
    for (size_t subtask = 0; subtask < operators_.size(); ++subtask) {
      std::vector<int32_t> rows;
      for (int64_t row = 0; row < batch.num_rows; ++row) {
        const int owner =
            SubtaskOf(KeyGroupOf(hashes[static_cast<size_t>(row)]), static_cast<int>(operators_.size()));
        if (owner == static_cast<int>(subtask)) rows.push_back(static_cast<int32_t>(row));
      }
      if (!rows.empty()) operators_[subtask]->OnBatch(input, Take(batch, rows), out);
    }
  }
  void Watermark(int64_t us) {
    for (auto& subtask : operators_) subtask->OnWatermark(us, out);
  }
  void Flush() {
    for (auto& subtask : operators_) subtask->OnFlush(out);
  }
  /// Advances the clock and calls the timers that are due.
  void Advance(int64_t us) {
    clock.Advance(us);
    for (auto& subtask : operators_) {
      for (int i = 0; i < 10; ++i) {
        const auto timer = subtask->next_timer_us();
        if (!timer || *timer > clock.now_us()) break;
        subtask->OnTimer(clock.now_us(), out);
      }
    }
  }
  /// A checkpoint, a crash, and a restart at another parallelism.
  void Rescale(int parallelism) {
    Flush();
    for (auto& subtask : operators_) subtask->Snapshot(*snapshot_.Writer());
    Start(parallelism, true);
  }
  /// The sum of weights of all output so far, by row text; rows that cancel are left out.
  const std::map<std::string, int64_t>& Sum() {
    for (const auto& [row, weight] : Consolidate(std::exchange(out.batches, {}))) {
      const auto entry = sum_.try_emplace(row, 0).first;
      if ((entry->second += weight) == 0) sum_.erase(entry);
    }
    return sum_;
  }
  int64_t StateRows() {
    Flush();
    int64_t rows = 0;
    for (const auto& metrics : metrics_) rows += metrics->state_rows.value();
    return rows;
  }
  int64_t LateRows() const {
    int64_t rows = 0;
    for (const auto& metrics : metrics_) rows += metrics->late_rows.value();
    return rows;
  }
  const MemorySnapshot& snapshot() const { return snapshot_; }
  const Schema& schema(int input) const { return input == kLeftInput ? spec_.left : spec_.right; }

  CollectingOutput out;
  ManualClock clock{1'000'000'000'000};

 private:
  void Start(int parallelism, bool restore) {
    operators_.clear();
    metrics_.clear();
    for (int subtask = 0; subtask < parallelism; ++subtask) {
      metrics_.push_back(std::make_unique<OperatorMetrics>());
      operators_.push_back(make_());
      const KeyGroupRange range = KeyGroupRange::Of(subtask, parallelism);
      if (restore) operators_.back()->Restore(*snapshot_.Reader(range));
      OperatorContext context;
      context.operator_id = "join";
      context.subtask = subtask;
      context.parallelism = parallelism;
      context.key_groups = range;
      context.clock = &clock;
      context.metrics = metrics_.back().get();
      operators_.back()->Open(context);
    }
  }

  JoinSpec spec_;
  std::function<std::unique_ptr<Operator>()> make_;
  std::map<std::string, int64_t> sum_;
  MemorySnapshot snapshot_;
  std::vector<std::unique_ptr<OperatorMetrics>> metrics_;
  std::vector<std::unique_ptr<Operator>> operators_;
};

/// Rows as text ("1 a"), by multiplicity.
using RowCounts = std::map<std::string, int64_t>;

/// Joins by looking at all pairs. `matches(l, r)` decides; `text` parts are what each side shows.
template <typename Row, typename Matches, typename Text>
RowCounts NestedLoopJoin(JoinKind kind, const std::vector<Row>& left, const std::vector<Row>& right,
                         Matches matches, Text text, const std::string& left_nulls,
                         const std::string& right_nulls) {
  RowCounts out;
  std::vector<bool> right_met(right.size());
  for (const Row& l : left) {
    bool met = false;
    for (size_t r = 0; r < right.size(); ++r) {
      if (!matches(l, right[r])) continue;
      met = right_met[r] = true;
      if (HasPairs(kind)) ++out[text(l) + " " + text(right[r])];
    }
    if (!met && IsPadded(kind, kLeftInput)) ++out[text(l) + " " + right_nulls];
    if (met ? kind == JoinKind::kSemi : kind == JoinKind::kAnti) ++out[text(l)];
  }
  for (size_t r = 0; r < right.size(); ++r) {
    if (!right_met[r] && IsPadded(kind, kRightInput)) ++out[left_nulls + " " + text(right[r])];
  }
  return out;
}

}  // namespace laminar
