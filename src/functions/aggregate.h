#pragma once

/// Aggregate functions over groups. The operator owns one accumulator (a fixed number of bytes) per group and
/// call; a function updates many of them per call, column-wise. DISTINCT and FILTER are the operator's
/// business: a function only sees the rows that count, with their weights.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "types/row_codec.h"
#include "types/type.h"

namespace laminar {

/// Rows to add. Entry i of `states` is the accumulator for row rows[i] (or row i when `rows` is null).
struct AggregateInput {
  int64_t count = 0;              ///< entries in `states` and `rows`
  const int32_t* rows = nullptr;  ///< [count] indices into args and weights, or null: 0..count−1
  std::vector<std::shared_ptr<arrow::Array>> args;  ///< arguments, then ORDER BY columns
  const int32_t* weights = nullptr;                 ///< by row, or null: all +1
  int64_t row(int64_t i) const { return rows ? rows[i] : i; }
  int32_t weight(int64_t i) const { return weights ? weights[row(i)] : 1; }
};

/// A bound aggregate: types known, immutable, shared by all groups and subtasks.
class AggregateFunction {
 public:
  AggregateFunction(Type result, int64_t state_bytes)
      : result_(std::move(result)), state_bytes_(state_bytes) {}
  virtual ~AggregateFunction() = default;

  const Type& result() const { return result_; }
  /// A multiple of 8; accumulators are 8-byte aligned and may be moved by memcpy.
  int64_t state_bytes() const { return state_bytes_; }

  virtual void Init(uint8_t* state) const = 0;
  /// Frees what the accumulator points to. After it the bytes are garbage.
  virtual void Destroy(uint8_t* state) const {}
  /// False: an accumulator is plain bytes, Destroy does nothing, and Serialize is a copy.
  virtual bool owns_memory() const { return false; }

  /// Throws QueryError (overflow).
  virtual void Update(uint8_t* const* states, const AggregateInput& input) const = 0;
  /// into[i] += from[i]; `from` stays valid. Panes of hop windows, sessions that merge, two-phase
  /// aggregation.
  virtual void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const = 0;
  /// Results of [count] accumulators, which stay valid. The same bytes give the same result.
  virtual std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const = 0;

  virtual void Serialize(const uint8_t* state, std::string* out) const {
    out->append(reinterpret_cast<const char*>(state), static_cast<size_t>(state_bytes_));
  }
  /// What Serialize writes, for those who look at state: numbers end to end, each of its type's width rounded
  /// up to 8 bytes. A name may be empty. None: the bytes are the function's own.
  virtual std::vector<Field> state_fields() const { return {}; }
  /// Makes an accumulator of what Serialize wrote, in raw memory.
  virtual void Deserialize(std::string_view bytes, uint8_t* state) const;

 private:
  Type result_;
  int64_t state_bytes_;
};

struct AggregateBindArguments {
  std::vector<Type> types;                                ///< of the arguments
  std::vector<std::shared_ptr<arrow::Scalar>> constants;  ///< null unless constant
  std::vector<Type> order_types;                          ///< ORDER BY / WITHIN GROUP expressions
  std::vector<SortColumn> order;
  bool ignore_nulls = false;
  bool retractable = false;  ///< the input may carry negative weights: the result must handle them
};

struct BoundAggregate {
  std::vector<Type> parameters;  ///< arguments are cast to these
  std::shared_ptr<const AggregateFunction> function;
};

/// Throws UserError(kTypeError) without position for arguments that it does not take.
using AggregateBinder = std::function<BoundAggregate(const AggregateBindArguments&)>;

}  // namespace laminar
