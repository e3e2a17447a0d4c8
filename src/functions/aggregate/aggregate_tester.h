#pragma once

/// For tests: runs one aggregate over rows written as JSON, in every way in which an operator might (one go,
/// batch by batch, panes that are merged, through a snapshot, over sliced columns, through a row list), and
/// expects one result.

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/compare.h>
#include <arrow/json/from_string.h>
#include <arrow/scalar.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "base/arrow_result.h"
#include "functions/aggregate.h"
#include "functions/register_aggregates.h"

namespace laminar {

/// Accumulators of one function, one per group.
class Accumulators {
 public:
  Accumulators(const AggregateFunction* function, int64_t groups) : function_(function) {
    words_.resize(static_cast<size_t>(groups * function->state_bytes() / 8));
    for (int64_t group = 0; group < groups; ++group) {
      states_.push_back(reinterpret_cast<uint8_t*>(words_.data()) + group * function->state_bytes());
      function->Init(states_.back());
    }
  }
  ~Accumulators() {
    for (uint8_t* state : states_) function_->Destroy(state);
  }
  Accumulators(const Accumulators&) = delete;

  int64_t size() const { return static_cast<int64_t>(states_.size()); }
  uint8_t* const* data() const { return states_.data(); }
  std::shared_ptr<arrow::Array> Finish() const { return function_->Finish(states_.data(), size()); }
  /// Writes and reads back every accumulator.
  void RoundTrip() {
    for (uint8_t* state : states_) {
      std::string bytes;
      function_->Serialize(state, &bytes);
      function_->Destroy(state);
      function_->Deserialize(bytes, state);
    }
  }
  void Merge(const Accumulators& other) { function_->Merge(states_.data(), other.states_.data(), size()); }

 private:
  const AggregateFunction* function_;
  std::vector<uint64_t> words_;
  std::vector<uint8_t*> states_;
};

class AggregateTester {
 public:
  struct Rows {
    std::vector<std::string> columns;  ///< one JSON array per argument and ORDER BY column
    std::vector<int> groups;           ///< per row; empty: all 0
    std::vector<int32_t> weights;      ///< per row; empty: all +1
  };

  AggregateTester(const std::string& name, AggregateBindArguments args) : args_(std::move(args)) {
    args_.constants.resize(args_.types.size());
    for (const AggregateDefinition& definition : AggregateDefinitions()) {
      for (const std::string& known : definition.names) {
        if (known == name) bound_ = definition.bind(args_);
      }
    }
    EXPECT_NE(bound_.function, nullptr) << "no aggregate " << name;
  }
  AggregateTester(const std::string& name, std::vector<Type> types, bool retractable = false)
      : AggregateTester(name, MakeArguments(std::move(types), retractable)) {}

  const Type& result() const { return bound_.function->result(); }
  const AggregateFunction& function() const { return *bound_.function; }

  AggregateTester& Add(Rows rows) {
    batches_.push_back(std::move(rows));
    return *this;
  }
  /// One column, one group.
  AggregateTester& Add(const std::string& values) { return Add(Rows{{values}, {}, {}}); }
  AggregateTester& Remove(const std::string& values) {
    const int64_t rows = MakeColumn(0, values)->length();
    return Add(Rows{{values}, {}, std::vector<int32_t>(static_cast<size_t>(rows), -1)});
  }

  /// `expected`: JSON array of one result per group.
  void Expect(const std::string& expected, bool merge = true) const {
    const auto want = OrThrow(arrow::json::ArrayFromJSONString(result().arrow_type(), expected), "expected");
    ExpectSame(*want, *Run(want->length(), [](auto&) {}, false, false), "batch by batch");
    ExpectSame(*want,
               *Run(want->length(), [](Accumulators& all) { all.RoundTrip(); }, false, false), "snapshots");
    ExpectSame(*want, *Run(want->length(), [](auto&) {}, true, false), "sliced columns");
    ExpectSame(*want, *Run(want->length(), [](auto&) {}, false, true), "row lists");
    if (merge) ExpectSame(*want, *RunMerged(want->length()), "merged");
  }

  /// The accumulators after all batches.
  std::shared_ptr<arrow::Array> Result(int64_t groups = 1) const {
    return Run(groups, [](auto&) {}, false, false);
  }

 private:
  static AggregateBindArguments MakeArguments(std::vector<Type> types, bool retractable) {
    AggregateBindArguments args;
    args.types = std::move(types);
    args.retractable = retractable;
    return args;
  }

  std::shared_ptr<arrow::Array> MakeColumn(size_t column, const std::string& json) const {
    const size_t arguments = bound_.parameters.size();
    const Type& type = column < arguments ? bound_.parameters[column] : args_.order_types[column - arguments];
    return OrThrow(arrow::json::ArrayFromJSONString(type.arrow_type(), json), "column");
  }

  static int64_t NumRows(const std::vector<std::shared_ptr<arrow::Array>>& columns, const Rows& rows) {
    return columns.empty() ? static_cast<int64_t>(rows.groups.size()) : columns[0]->length();
  }

  /// `sliced`: columns start at offset 3. `listed`: rows are named in a list, among twice as many rows.
  void Update(Accumulators& all, const Rows& rows, bool sliced, bool listed) const {
    AggregateInput input;
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (size_t i = 0; i < rows.columns.size(); ++i) columns.push_back(MakeColumn(i, rows.columns[i]));
    input.count = NumRows(columns, rows);
    std::vector<int32_t> list(static_cast<size_t>(input.count));
    std::vector<int32_t> weights = rows.weights;
    std::iota(list.begin(), list.end(), 0);
    for (auto& column : columns) {
      if (column->length() == 0) continue;
      if (listed) {  // junk first, then the rows
        column = OrThrow(arrow::Concatenate({column, column}), "concatenate");
      } else if (sliced) {
        column = OrThrow(arrow::Concatenate({column, column, column, column}), "concatenate")
                     ->Slice(3 * input.count, input.count);
      }
    }
    if (listed) {
      for (int32_t& row : list) row += static_cast<int32_t>(input.count);
      if (!weights.empty()) weights.insert(weights.begin(), weights.size(), 1000);
      input.rows = list.data();
    }
    input.args = columns;
    if (!weights.empty()) input.weights = weights.data();
    std::vector<uint8_t*> states;
    for (int64_t i = 0; i < input.count; ++i) {
      states.push_back(all.data()[rows.groups.empty() ? 0 : rows.groups[static_cast<size_t>(i)]]);
    }
    if (input.count > 0) function().Update(states.data(), input);
  }

  std::shared_ptr<arrow::Array> Run(int64_t groups, const std::function<void(Accumulators&)>& between,
                                    bool sliced, bool listed) const {
    Accumulators all(&function(), groups);
    for (const Rows& rows : batches_) {
      Update(all, rows, sliced, listed);
      between(all);
    }
    return all.Finish();
  }

  /// Each batch into accumulators of its own, which are merged in order.
  std::shared_ptr<arrow::Array> RunMerged(int64_t groups) const {
    Accumulators all(&function(), groups);
    for (const Rows& rows : batches_) {
      Accumulators pane(&function(), groups);
      Update(pane, rows, false, false);
      all.Merge(pane);
    }
    return all.Finish();
  }

  void ExpectSame(const arrow::Array& want, const arrow::Array& got, const char* way) const {
    const auto options = arrow::EqualOptions::Defaults().nans_equal(true).atol(1e-12);
    ASSERT_TRUE(got.ValidateFull().ok()) << way << ": " << got.ValidateFull().ToString();
    EXPECT_TRUE(want.ApproxEquals(got, options))
        << way << "\nexpected " << want.ToString() << "\ngot " << got.ToString();
  }

  AggregateBindArguments args_;
  BoundAggregate bound_;
  std::vector<Rows> batches_;
};

}  // namespace laminar
