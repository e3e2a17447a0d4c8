/// MAP_AGG and HISTOGRAM: the rows of the group as a MAP.

#include <arrow/array.h>
#include <arrow/type.h>

#include <numeric>
#include <string>
#include <unordered_map>

#include "functions/aggregate/collect.h"
#include "functions/aggregate/column_values.h"
#include "functions/aggregate/definitions.h"
#include "functions/aggregate/value_counts.h"
#include "types/row_codec.h"

namespace laminar {
namespace {

std::shared_ptr<arrow::Array> MakeMaps(const Type& type, const std::vector<int32_t>& offsets,
                                       const std::shared_ptr<arrow::Array>& keys,
                                       const std::shared_ptr<arrow::Array>& values) {
  const auto map = std::static_pointer_cast<arrow::MapType>(type.arrow_type());
  auto entries =
      arrow::ArrayData::Make(map->value_type(), keys->length(), {nullptr}, {keys->data(), values->data()}, 0);
  return MakeLists(map, offsets, std::move(entries));
}

template <typename Rows>
class MapAgg final : public CollectBase<Rows> {
 public:
  MapAgg(const Type& key, const Type& value, const RowColumns& columns)
      : CollectBase<Rows>(Type::Map(key, value), {key.arrow_type(), value.arrow_type()}, columns) {}

  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    const GroupedValues all = this->Gather(states, count);
    const auto keys = this->codec().DecodeColumns(all.values, {0});
    ByteStrings key_bytes;
    EncodeKeys(keys, keys[0]->length(), &key_bytes);
    GroupedValues last;
    for (int64_t i = 0; i < count; ++i) {
      AppendLast(all, key_bytes, i, &last.values);
      last.EndGroup();
    }
    const auto columns = this->codec().Decode(last.values);
    return MakeMaps(this->result(), last.offsets, columns[0], columns[1]);
  }

 private:
  /// The rows of group i, keys in order of first appearance, each with its last value.
  static void AppendLast(const GroupedValues& all, const ByteStrings& keys, int64_t i,
                         std::vector<std::string_view>* out) {
    std::unordered_map<std::string_view, size_t> place;
    for (int32_t row = all.offsets[i]; row < all.offsets[i + 1]; ++row) {
      const auto [at, fresh] = place.emplace(keys[row], out->size());
      if (fresh) {
        out->push_back(all.values[static_cast<size_t>(row)]);
      } else {
        (*out)[at->second] = all.values[static_cast<size_t>(row)];
      }
    }
  }
};

/// Values with how often they come, in order.
template <typename T>
class Histogram final : public ValueCountsAggregate<T> {
 public:
  explicit Histogram(const Type& type) : ValueCountsAggregate<T>(Type::Map(type, Type::Int64()), 0) {}

  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<T> keys(0);
    ResultValues<int64_t> counts(0);
    std::vector<int32_t> offsets{0};
    for (int64_t i = 0; i < count; ++i) {
      if (const ValueCounts<T>* values = this->Find(states[i])) {
        for (const auto& [value, times] : values->counts()) {
          if (times <= 0) continue;
          keys.values.push_back(value);
          counts.values.push_back(times);
        }
      }
      offsets.push_back(static_cast<int32_t>(keys.values.size()));
    }
    keys.valid.assign(keys.values.size(), 1);
    counts.valid = keys.valid;
    return MakeMaps(this->result(), offsets, keys.ToArray(this->result().key()),
                    counts.ToArray(Type::Int64()));
  }
};

BoundAggregate BindMapAgg(const AggregateBindArguments& args) {
  RequireArgumentCount("map_agg", args, 2, 2);
  const Type key = KnownType(args.types[0]), value = KnownType(args.types[1]);
  RowColumns columns = FirstColumnOrdered(args, /*ignore_nulls=*/true);
  columns.values = {0, 1};
  if (args.retractable) return {{key, value}, std::make_shared<MapAgg<RetractableRows>>(key, value, columns)};
  return {{key, value}, std::make_shared<MapAgg<CollectedRows>>(key, value, columns)};
}

BoundAggregate BindHistogram(const AggregateBindArguments& args) {
  RequireArgumentCount("histogram", args, 1, 1);
  const Type type = KnownType(args.types[0]);
  switch (ValueKindOf(type)) {
    case ValueKind::kInt64:
      return {{type}, std::make_shared<Histogram<int64_t>>(type)};
    case ValueKind::kUInt64:
      return {{type}, std::make_shared<Histogram<uint64_t>>(type)};
    case ValueKind::kDouble:
      return {{type}, std::make_shared<Histogram<double>>(type)};
    case ValueKind::kDecimal:
      return {{type}, std::make_shared<Histogram<StoredInt128>>(type)};
    case ValueKind::kBytes:
      return {{type}, std::make_shared<Histogram<std::string_view>>(type)};
    case ValueKind::kOther:
      break;
  }
  ThrowArgumentType("histogram", "a number, text, date or time", type);
}

}  // namespace

void AddCollectMap(AggregateDefinitionList* out) {
  out->push_back(
      {.names = {"map_agg"},
       .doc = {"Aggregate", "map_agg(key, value [ORDER BY …]) → map",
               "A map of all pairs; of equal keys the last one counts, rows whose key is NULL are skipped. "
               "NULL without rows.",
               "map_agg('k' || x, x)", "{\"k1\":1,\"k2\":2,\"k3\":3}"},
       .takes_distinct = false,
       .takes_order_by = true,
       .bind = BindMapAgg});
  out->push_back({.names = {"histogram"},
                  .doc = {"Aggregate", "histogram(x) → map of x to bigint",
                          "How often each non-NULL value comes, in order of values. NULL without values.",
                          "histogram('v' || x % 2)", "{\"v0\":1,\"v1\":2}"},
                  .takes_distinct = false,
                  .takes_order_by = false,
                  .bind = BindHistogram});
}

}  // namespace laminar
