#pragma once

/// Aggregates that give all rows of a group as one value. Include only from .cc files.

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

#include "base/arrow_result.h"
#include "base/error.h"
#include "functions/aggregate/ordered_rows.h"

namespace laminar {

/// Values of some groups end to end: those of group i are values[offsets[i], offsets[i+1]).
struct GroupedValues {
  std::vector<std::string_view> values;
  std::vector<int32_t> offsets{0};

  int64_t num_groups() const { return static_cast<int64_t>(offsets.size()) - 1; }
  bool empty(int64_t i) const {
    return offsets[static_cast<size_t>(i)] == offsets[static_cast<size_t>(i) + 1];
  }
  /// Closes a group after its values.
  void EndGroup() {
    if (values.size() > INT32_MAX) throw QueryError("collected values of one batch exceed 2^31");
    offsets.push_back(static_cast<int32_t>(values.size()));
  }
};

template <typename Rows>
class CollectBase : public RowsAggregate<Rows> {
 public:
  using RowsAggregate<Rows>::RowsAggregate;

 protected:
  GroupedValues Gather(const uint8_t* const* states, int64_t count) const {
    GroupedValues out;
    for (int64_t i = 0; i < count; ++i) {
      if (const Rows* rows = this->Find(states[i])) rows->AppendTo(&out.values);
      out.EndGroup();
    }
    return out;
  }
};

/// An ARRAY or MAP column over its elements (MAP: the entries); groups without elements are NULL.
inline std::shared_ptr<arrow::Array> MakeLists(const std::shared_ptr<arrow::DataType>& type,
                                               const std::vector<int32_t>& offsets,
                                               std::shared_ptr<arrow::ArrayData> elements) {
  const auto count = static_cast<int64_t>(offsets.size()) - 1;
  auto bitmap = OrThrow(arrow::AllocateEmptyBitmap(count), "allocate");
  int64_t null_count = 0;
  for (int64_t i = 0; i < count; ++i) {
    const bool empty = offsets[static_cast<size_t>(i)] == offsets[static_cast<size_t>(i) + 1];
    null_count += empty;
    if (!empty) arrow::bit_util::SetBit(bitmap->mutable_data(), i);
  }
  auto buffer =
      OrThrow(arrow::AllocateBuffer(static_cast<int64_t>(offsets.size() * sizeof(int32_t))), "allocate");
  std::copy(offsets.begin(), offsets.end(), reinterpret_cast<int32_t*>(buffer->mutable_data()));
  return arrow::MakeArray(arrow::ArrayData::Make(type, count, {std::move(bitmap), std::move(buffer)},
                                                 {std::move(elements)}, null_count));
}

/// The first argument, ordered by the call's ORDER BY columns, which stand behind the arguments.
inline RowColumns FirstColumnOrdered(const AggregateBindArguments& args, bool ignore_nulls) {
  RowColumns columns;
  columns.values = {0};
  for (size_t i = 0; i < args.order_types.size(); ++i) columns.order.push_back(args.types.size() + i);
  columns.sort = args.order;
  if (ignore_nulls) columns.not_null = {0};
  return columns;
}

}  // namespace laminar
