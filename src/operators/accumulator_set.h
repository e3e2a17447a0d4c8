#pragma once

/// The accumulators of several aggregate calls side by side in one record, updated column-wise. The shared
/// inner part of the aggregating operators.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "functions/aggregate.h"
#include "state/state_layout.h"
#include "types/batch.h"

namespace laminar {

/// One aggregate call of an operator; columns are indices into its input.
struct AggregateSpec {
  std::shared_ptr<const AggregateFunction> function;
  std::vector<int> args;
  std::vector<int> order;  ///< ORDER BY inside the call; passed after the arguments
  int filter = -1;         ///< BOOLEAN column of FILTER (WHERE …); −1: none
  bool distinct = false;
  std::string name;  ///< of its result, for those who look at state
};

class AccumulatorSet {
 public:
  /// The accumulators lie behind `offset` bytes (a multiple of 8) of the record that belong to the operator.
  AccumulatorSet(std::vector<AggregateSpec> specs, int64_t offset);

  const std::vector<AggregateSpec>& specs() const { return specs_; }
  int64_t record_bytes() const { return record_bytes_; }
  bool owns_memory() const { return owns_memory_; }

  void Init(uint8_t* record) const;
  void Destroy(uint8_t* record) const;
  /// Adds rows to the calls without DISTINCT: `records[i]` is that of row rows[i] (row i when `rows` is
  /// null).
  void Update(const Batch& batch, const int32_t* rows, int64_t count, uint8_t* const* records);
  /// Adds rows to one call, whatever its FILTER and DISTINCT. `args`: its arguments and ORDER BY columns.
  /// `weights` by row, or null.
  void UpdateCall(size_t call, const std::vector<std::shared_ptr<arrow::Array>>& args, const int32_t* rows,
                  int64_t count, uint8_t* const* records, const int32_t* weights);
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count);
  /// One column per call, each [count].
  std::vector<std::shared_ptr<arrow::Array>> Finish(const uint8_t* const* records, int64_t count);

  void Serialize(const uint8_t* record, std::string* out) const;
  /// Into a record without accumulators.
  void Deserialize(std::string_view bytes, uint8_t* record) const;
  /// For StateTableSpec::layout.
  std::string Layout() const;
  /// What Serialize writes, for StateTableSpec::value.
  std::vector<StatePart> StateParts() const;

 private:
  const std::vector<int32_t>& Selected(const Batch& batch, int filter, const int32_t* rows, int64_t count);

  /// Of all accumulators, which stand side by side, when none owns memory.
  size_t plain_bytes() const { return static_cast<size_t>(record_bytes_ - offsets_[0]); }

  std::vector<AggregateSpec> specs_;
  std::vector<int64_t> offsets_;
  int64_t record_bytes_;
  bool owns_memory_ = false;
  // Scratch, kept for its memory.
  std::vector<uint8_t*> states_, from_;
  std::vector<int32_t> rows_;
  struct Selection {
    int filter;
    std::vector<int32_t> entries;
  };
  std::vector<Selection> selections_;  // of the current Update, by filter
};

/// Entries 0..count−1 whose row passes BOOLEAN `column`.
void SelectTrue(const arrow::Array& column, const int32_t* rows, int64_t count,
                std::vector<int32_t>* entries);
/// The columns at `indices`.
std::vector<std::shared_ptr<arrow::Array>> PickColumns(const Batch& batch, const std::vector<int>& indices);
std::vector<std::shared_ptr<arrow::DataType>> PickTypes(const Schema& schema,
                                                        const std::vector<int>& indices);
std::vector<std::shared_ptr<arrow::DataType>> AllTypes(const Schema& schema);
std::vector<Field> PickFields(const Schema& schema, const std::vector<int>& indices);

}  // namespace laminar
