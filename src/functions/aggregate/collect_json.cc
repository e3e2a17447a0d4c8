/// JSON_AGG and JSON_OBJECT_AGG: all rows of the group as one JSON text.

#include <arrow/array.h>

#include <functional>
#include <optional>
#include <string>
#include <unordered_map>

#include "functions/aggregate/collect.h"
#include "functions/aggregate/column_values.h"
#include "functions/aggregate/definitions.h"
#include "functions/value_text.h"

namespace laminar {
namespace {

/// Values of a column as JSON text, one at a time.
class JsonTexts {
 public:
  JsonTexts(const arrow::Array& column, const Type& type)
      : text_(MakeRowText(ColumnView(column.data(), /*constant=*/false), type, TextForm::kJson)),
        writer_(1, 64) {}
  /// Valid until the next call.
  std::string_view operator()(int64_t row) {
    writer_.TruncateRow(0);
    text_(row, writer_);
    return writer_.row();
  }

 private:
  RowText text_;
  TextWriter writer_;
};

template <typename Rows>
class JsonAgg final : public CollectBase<Rows> {
 public:
  JsonAgg(const Type& element, const RowColumns& columns)
      : CollectBase<Rows>(Type::Json(), {element.arrow_type()}, columns), element_(element) {}

  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    const GroupedValues groups = this->Gather(states, count);
    const auto elements = this->codec().Decode(groups.values)[0];
    JsonTexts texts(*elements, element_);
    std::vector<std::string> arrays(static_cast<size_t>(count));
    ResultValues<std::string_view> out(count);
    for (int64_t i = 0; i < count; ++i) {
      if (groups.empty(i)) continue;
      std::string& array = arrays[static_cast<size_t>(i)];
      for (int32_t at = groups.offsets[i]; at < groups.offsets[i + 1]; ++at) {
        array += array.empty() ? '[' : ',';
        array += texts(at);
      }
      array += ']';
      out.Set(i, array);
    }
    return out.ToArray(Type::Json());
  }

 private:
  Type element_;
};

template <typename Rows>
class JsonObjectAgg final : public CollectBase<Rows> {
 public:
  JsonObjectAgg(const Type& value, const RowColumns& columns)
      : CollectBase<Rows>(Type::Json(), {Type::Text().arrow_type(), value.arrow_type()}, columns),
        value_(value) {}

  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    const GroupedValues groups = this->Gather(states, count);
    const auto columns = this->codec().Decode(groups.values);
    JsonTexts keys(*columns[0], Type::Text()), values(*columns[1], value_);
    std::vector<std::string> objects(static_cast<size_t>(count));
    ResultValues<std::string_view> out(count);
    for (int64_t i = 0; i < count; ++i) {
      if (groups.empty(i)) continue;
      objects[static_cast<size_t>(i)] = MakeObject(keys, values, groups.offsets[i], groups.offsets[i + 1]);
      out.Set(i, objects[static_cast<size_t>(i)]);
    }
    return out.ToArray(Type::Json());
  }

 private:
  /// Keys in order of first appearance, each with its last value.
  static std::string MakeObject(JsonTexts& keys, JsonTexts& values, int32_t begin, int32_t end) {
    std::vector<std::pair<std::string, int32_t>> members;
    std::unordered_map<std::string, size_t> place;
    for (int32_t row = begin; row < end; ++row) {
      const auto [at, fresh] = place.emplace(keys(row), members.size());
      if (fresh) {
        members.emplace_back(at->first, row);
      } else {
        members[at->second].second = row;
      }
    }
    std::string object;
    for (const auto& [key, row] : members) {
      object += object.empty() ? '{' : ',';
      object += key;
      object += ':';
      object += values(row);
    }
    return object + '}';
  }

  Type value_;
};

BoundAggregate BindJsonAgg(const AggregateBindArguments& args) {
  RequireArgumentCount("json_agg", args, 1, 1);
  const Type type = KnownType(args.types[0]);
  const RowColumns columns = FirstColumnOrdered(args, args.ignore_nulls);
  if (args.retractable) return {{type}, std::make_shared<JsonAgg<RetractableRows>>(type, columns)};
  return {{type}, std::make_shared<JsonAgg<CollectedRows>>(type, columns)};
}

BoundAggregate BindJsonObjectAgg(const AggregateBindArguments& args) {
  RequireArgumentCount("json_object_agg", args, 2, 2);
  if (args.types[0].is_nested()) ThrowArgumentType("json_object_agg", "keys that can be text", args.types[0]);
  RowColumns columns = FirstColumnOrdered(args, /*ignore_nulls=*/true);
  columns.values = {0, 1};
  const Type value = KnownType(args.types[1]);
  const std::vector<Type> parameters = {Type::Text(), value};
  if (args.retractable) return {parameters, std::make_shared<JsonObjectAgg<RetractableRows>>(value, columns)};
  return {parameters, std::make_shared<JsonObjectAgg<CollectedRows>>(value, columns)};
}

}  // namespace

void AddCollectJson(AggregateDefinitionList* out) {
  out->push_back(
      {.names = {"json_agg", "json_arrayagg"},
       .doc = {"Aggregate", "json_agg(x [ORDER BY …]) → json",
               "All values as a JSON array, NULLs as null, by ORDER BY, else by arrival. NULL without rows.",
               "json_agg(x ORDER BY x DESC)", "[3,2,1]"},
       .takes_distinct = true,
       .takes_order_by = true,
       .bind = BindJsonAgg});
  out->push_back(
      {.names = {"json_object_agg", "json_objectagg"},
       .doc = {"Aggregate", "json_object_agg(key, value [ORDER BY …]) → json",
               "A JSON object of all pairs; of equal keys the last one counts, rows whose key is NULL are "
               "skipped. NULL without rows.",
               "json_object_agg('k' || x, x)", "{\"k1\":1,\"k2\":2,\"k3\":3}"},
       .takes_distinct = false,
       .takes_order_by = true,
       .bind = BindJsonObjectAgg});
}

}  // namespace laminar
