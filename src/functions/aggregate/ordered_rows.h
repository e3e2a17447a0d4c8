#pragma once

/// Rows that an aggregate keeps whole, in the order of its ORDER BY and then of arrival: the state of
/// ARRAY_AGG, STRING_AGG and their like, and of FIRST_VALUE and LAST_VALUE under retraction.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "functions/aggregate.h"
#include "functions/aggregate/owned_state.h"
#include "types/row_codec.h"

namespace laminar {

/// Append-only: rows as they came, sorted when asked for.
class CollectedRows {
 public:
  /// `order`: sort bytes, empty without ORDER BY. `value`: row bytes.
  void Add(std::string_view order, std::string_view value, int64_t weight);
  void Add(const CollectedRows& other);
  /// Values in order; views into this object.
  void AppendTo(std::vector<std::string_view>* values) const;

  void Serialize(std::string* out) const;
  void Deserialize(ByteReader& in);

 private:
  ByteStrings orders_;  // empty strings without ORDER BY
  ByteStrings values_;
};

/// Under retraction: rows by (order, arrival), found again by their bytes. Of equal rows the latest is taken
/// back first. A count below zero is a retraction that overtook its row.
class RetractableRows {
 public:
  void Add(std::string_view order, std::string_view value, int64_t weight);
  void Add(const RetractableRows& other);
  void AppendTo(std::vector<std::string_view>* values) const;
  /// The first or last row that is there; nullptr when none is.
  const std::string* First() const;
  const std::string* Last() const;

  void Serialize(std::string* out) const;
  void Deserialize(ByteReader& in);

 private:
  struct Row {
    std::string value;
    int64_t count;
  };
  using Key = std::pair<std::string, uint64_t>;  // order bytes, arrival
  using Rows = std::map<Key, Row>;

  void Insert(std::string_view order, uint64_t arrival, std::string_view value, int64_t count);
  void Erase(Rows::iterator row, size_t hash);
  static size_t HashOf(std::string_view order, std::string_view value);

  Rows rows_;
  std::unordered_map<size_t, std::vector<Rows::iterator>> by_bytes_;  // by HashOf; each in order of arrival
  uint64_t next_arrival_ = 0;
};

/// Which columns of AggregateInput::args make the value and the order.
struct RowColumns {
  std::vector<size_t> values;
  std::vector<size_t> order;
  std::vector<SortColumn> sort;  ///< one per order column
  std::vector<size_t> not_null;  ///< rows with a NULL in one of these are skipped
};

/// The rows of one Update that count, encoded: entry i of all vectors belongs together.
struct EncodedRows {
  std::vector<int32_t> entries;  ///< indices into AggregateInput::rows
  ByteStrings values;
  ByteStrings orders;  ///< of all rows of the batch, by row; empty without ORDER BY
  std::string_view order(const AggregateInput& input, size_t i) const {
    return orders.size() == 0 ? std::string_view() : orders[input.row(entries[i])];
  }
};
EncodedRows EncodeInput(const AggregateInput& input, const RowColumns& columns, const RowCodec& codec);
/// Sort bytes of all rows of the batch; nothing without ORDER BY.
void EncodeOrder(const AggregateInput& input, const RowColumns& columns, ByteStrings* out);

/// Base of aggregates over CollectedRows or RetractableRows.
template <typename Rows>
class RowsAggregate : public OwningAggregate<Rows> {
 public:
  RowsAggregate(Type result, std::vector<std::shared_ptr<arrow::DataType>> value_types, RowColumns columns)
      : OwningAggregate<Rows>(std::move(result)),
        columns_(std::move(columns)),
        codec_(std::move(value_types)) {}

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    const EncodedRows rows = EncodeInput(input, columns_, codec_);
    for (size_t i = 0; i < rows.entries.size(); ++i) {
      const int32_t entry = rows.entries[i];
      this->GetOrMake(states[entry])
          .Add(rows.order(input, i), rows.values[static_cast<int64_t>(i)], input.weight(entry));
    }
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) {
      if (const Rows* other = this->Find(from[i])) this->GetOrMake(into[i]).Add(*other);
    }
  }

 protected:
  const RowCodec& codec() const { return codec_; }

 private:
  RowColumns columns_;
  RowCodec codec_;
};

}  // namespace laminar
