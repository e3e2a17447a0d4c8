/// MAP functions. A MAP lies in memory as a list of (key, value); of equal keys the last counts where one is
/// looked up.

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>

#include "base/error.h"
#include "functions/comparable_types.h"
#include "functions/nested/array_argument.h"
#include "functions/nested/register_nested.h"
#include "functions/overload.h"

namespace laminar {

namespace {

/// Keys and values of a MAP argument.
struct MapArgument {
  explicit MapArgument(const arrow::Datum& argument) : entries(argument), keys(Child(0)), values(Child(1)) {}
  ColumnView Child(size_t i) const {
    const arrow::ArrayData& data = *entries.elements();
    return ColumnView(data.child_data[i]->Slice(data.offset, data.length), false);
  }
  ListSpan operator[](int64_t row) const { return entries[row]; }

  ListReader entries;
  ColumnView keys;
  ColumnView values;
};

/// Puts keys and values under the offsets of an array of `shape.rows`.
arrow::Result<arrow::Datum> FinishMap(const CallShape& shape, const Type& type,
                                      std::shared_ptr<arrow::Buffer> valid, std::vector<int32_t> offsets,
                                      std::shared_ptr<arrow::Array> keys,
                                      std::shared_ptr<arrow::Array> values) {
  const auto arrow_type = type.arrow_type();
  const auto entry_type = static_cast<const arrow::MapType&>(*arrow_type).value_type();
  const int64_t length = keys->length();
  const arrow::StructArray entries(entry_type, length, {std::move(keys), std::move(values)});
  auto data = arrow::ArrayData::Make(arrow_type, shape.rows,
                                     {std::move(valid), arrow::Buffer::FromVector(std::move(offsets))},
                                     {entries.data()});
  return FinishArray(shape, arrow::MakeArray(data));
}

arrow::Result<std::shared_ptr<arrow::Array>> TakeRows(const ColumnView& from,
                                                      const std::vector<int64_t>& rows) {
  const arrow::Int64Array indices(static_cast<int64_t>(rows.size()), arrow::Buffer::Wrap(rows));
  return arrow::compute::Take(*arrow::MakeArray(from.data()), indices,
                              arrow::compute::TakeOptions::NoBoundsCheck());
}

// ---- map(keys, values) ----

std::optional<BoundScalar> BindMap(const BindArguments& arguments) {
  if (arguments.size() != 2) return std::nullopt;
  const Type& keys = arguments.types[0];
  const Type& values = arguments.types[1];
  if (keys.id() != TypeId::kArray || values.id() != TypeId::kArray) return std::nullopt;
  auto known = [](const Type& type) { return type.is_null() ? Type::Text() : type; };
  const Type key = known(keys.element());
  const Type value = known(values.element());
  const Type map = Type::Map(key, value);
  auto kernel = [map](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const CallShape shape = ShapeOf(call);
    if (shape.all_null) return NullDatum(map.arrow_type());
    const ArrayArgument keys(call.args[0]);
    const ArrayArgument values(call.args[1]);
    std::vector<int64_t> key_rows, value_rows;
    std::vector<int32_t> offsets = {0};
    for (int64_t row = 0; row < shape.rows; ++row) {
      const ListSpan k = shape.IsValid(row) ? keys[row] : ListSpan{};
      const ListSpan v = shape.IsValid(row) ? values[row] : ListSpan{};
      if (k.length != v.length) {
        return arrow::Status::Invalid("a map of ", k.length, " keys and ", v.length,
                                      " values: there must be as many");
      }
      for (int64_t i = 0; i < k.length; ++i) {
        if (keys.elements.IsNull(k.begin + i)) return arrow::Status::Invalid("a key of a MAP cannot be NULL");
        key_rows.push_back(k.begin + i);
        value_rows.push_back(v.begin + i);
      }
      offsets.push_back(static_cast<int32_t>(key_rows.size()));
    }
    ARROW_ASSIGN_OR_RAISE(auto key_array, TakeRows(keys.elements, key_rows));
    ARROW_ASSIGN_OR_RAISE(auto value_array, TakeRows(values.elements, value_rows));
    return FinishMap(shape, map, shape.valid, std::move(offsets), std::move(key_array),
                     std::move(value_array));
  };
  return BoundScalar{{Type::Array(key), Type::Array(value)}, map, kernel, true};
}

// ---- looking up ----

std::optional<BoundScalar> BindExtract(const BindArguments& arguments) {
  if (arguments.size() != 2 || arguments.types[0].id() != TypeId::kMap) return std::nullopt;
  const Type map = arguments.types[0];
  const auto key = ComparisonType(map.key(), arguments.types[1]);
  if (!key || *key != map.key()) return std::nullopt;
  auto kernel = [map](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const CallShape shape = ShapeOf(call);
    if (shape.all_null) return NullDatum(map.element().arrow_type());
    const MapArgument entries(call.args[0]);
    const ColumnView wanted(call.args[1]);
    const RowCompare compare = MakeRowCompare(entries.keys, wanted, map.key());
    elementwise::ValueWriter<int64_t> at(shape.rows);
    ValidityWriter validity(shape);
    for (int64_t row = 0; row < shape.rows; ++row) {
      const ListSpan span = shape.IsValid(row) ? entries[row] : ListSpan{};
      int64_t found = span.begin + span.length - 1;
      while (found >= span.begin && compare(found, row) != 0) --found;
      const bool missing = found < span.begin || span.length == 0;
      at.Set(row, missing ? 0 : found);
      if (missing) validity.SetNull(row);
    }
    const arrow::Int64Array indices(shape.rows, (*at.Finish())[0], validity.Finish());
    ARROW_ASSIGN_OR_RAISE(auto taken, arrow::compute::Take(*arrow::MakeArray(entries.values.data()), indices,
                                                           arrow::compute::TakeOptions::NoBoundsCheck()));
    return FinishArray(shape, taken);
  };
  return BoundScalar{{map, map.key()}, map.element(), kernel};
}

// ---- parts ----

/// The map's child as an array: same offsets.
std::shared_ptr<arrow::Array> ChildAsList(const std::shared_ptr<arrow::ArrayData>& map,
                                          std::shared_ptr<arrow::ArrayData> child,
                                          const std::shared_ptr<arrow::DataType>& type) {
  auto data = map->Copy();
  data->type = type;
  data->child_data = {std::move(child)};
  return arrow::MakeArray(data);
}

enum class Part { kKeys, kValues, kEntries };

ScalarBinder BindPart(Part part) {
  return [part](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 1 || arguments.types[0].id() != TypeId::kMap) return std::nullopt;
    const Type& map = arguments.types[0];
    const Type element = part == Part::kKeys ? map.key()
                         : part == Part::kValues
                             ? map.element()
                             : Type::Struct({{"key", map.key(), false}, {"value", map.element(), true}});
    const Type result = Type::Array(element);
    auto kernel = [part, type = result.arrow_type(), element_type = element.arrow_type()](
                      const ScalarCall& call) -> arrow::Result<arrow::Datum> {
      const CallShape shape = ShapeOf(call);
      if (shape.all_null) return NullDatum(type);
      const MapArgument entries(call.args[0]);
      std::shared_ptr<arrow::ArrayData> child = entries.entries.elements();
      if (part == Part::kEntries) {
        child = child->Copy();
        child->type = element_type;
      } else {
        child = (part == Part::kKeys ? entries.keys : entries.values).data();
      }
      return FinishArray(shape, ChildAsList(entries.entries.data(), std::move(child), type));
    };
    return BoundScalar{{map}, result, kernel};
  };
}

// ---- making ----

/// 'a=1,b=2' → {a: 1, b: 2}; an entry without the second delimiter has a NULL value.
std::optional<BoundScalar> BindStrToMap(const BindArguments& arguments) {
  if (arguments.size() < 1 || arguments.size() > 3) return std::nullopt;
  const std::vector<Type> parameters(arguments.size(), Type::Text());
  if (!Accepts(parameters, arguments.types)) return std::nullopt;
  const Type map = Type::Map(Type::Text(), Type::Text());
  auto kernel = [map](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const CallShape shape = ShapeOf(call);
    if (shape.all_null) return NullDatum(map.arrow_type());
    const ColumnReader<std::string_view> texts(call.args[0]);
    std::optional<ColumnReader<std::string_view>> between, inside;
    if (call.args.size() > 1) between.emplace(call.args[1]);
    if (call.args.size() > 2) inside.emplace(call.args[2]);
    std::vector<std::string_view> key_texts;
    std::vector<std::optional<std::string_view>> value_texts;
    std::vector<int32_t> offsets = {0};
    for (int64_t row = 0; row < shape.rows; ++row) {
      std::string_view rest = shape.IsValid(row) ? texts[row] : std::string_view();
      const std::string_view first = between ? (*between)[row] : ",";
      const std::string_view second = inside ? (*inside)[row] : "=";
      while (!rest.empty() && !first.empty() && !second.empty()) {
        const size_t end = rest.find(first);
        const std::string_view entry = rest.substr(0, end);
        const size_t split = entry.find(second);
        key_texts.push_back(entry.substr(0, split));
        value_texts.push_back(split == std::string_view::npos
                                  ? std::nullopt
                                  : std::optional(entry.substr(split + second.size())));
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + first.size());
      }
      offsets.push_back(static_cast<int32_t>(key_texts.size()));
    }
    CallShape all;
    all.constant = false;
    all.rows = static_cast<int64_t>(key_texts.size());
    ValidityWriter validity(all);
    TextWriter key_writer(all.rows, all.rows * 16);
    TextWriter value_writer(all.rows, all.rows * 16);
    for (int64_t i = 0; i < all.rows; ++i) {
      key_writer.Append(key_texts[static_cast<size_t>(i)]);
      key_writer.EndRow();
      const auto& value = value_texts[static_cast<size_t>(i)];
      value ? value_writer.Append(*value) : validity.SetNull(i);
      value_writer.EndRow();
    }
    ARROW_ASSIGN_OR_RAISE(auto key_buffers, key_writer.Finish());
    ARROW_ASSIGN_OR_RAISE(auto value_buffers, value_writer.Finish());
    return FinishMap(
        shape, map, shape.valid, std::move(offsets),
        FinishColumn(all, arrow::utf8(), nullptr, std::move(key_buffers)).make_array(),
        FinishColumn(all, arrow::utf8(), validity.Finish(), std::move(value_buffers)).make_array());
  };
  return BoundScalar{parameters, map, kernel};
}

/// Entries of all maps; of equal keys the last map's stays.
std::optional<BoundScalar> BindMapConcat(const BindArguments& arguments) {
  if (arguments.size() == 0) return std::nullopt;
  std::optional<Type> common = Type::Null();
  for (size_t i = 0; i < arguments.size() && common; ++i) common = CommonType(*common, arguments.types[i]);
  if (!common || common->id() != TypeId::kMap) return std::nullopt;
  auto kernel = [map = *common](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const CallShape shape = ShapeOf(call);
    if (shape.all_null) return NullDatum(map.arrow_type());
    std::vector<MapArgument> maps;
    ArrayBuilding keys(shape.rows), values(shape.rows);
    for (const arrow::Datum& arg : call.args) {
      maps.emplace_back(arg);
      keys.AddSource(maps.back().keys.data());
      values.AddSource(maps.back().values.data());
    }
    std::vector<std::vector<RowCompare>> compare(maps.size());
    for (size_t i = 0; i < maps.size(); ++i) {
      for (const MapArgument& other : maps)
        compare[i].push_back(MakeRowCompare(maps[i].keys, other.keys, map.key()));
    }
    auto overridden = [&](size_t source, int64_t entry, int64_t row) {
      for (size_t later = source + 1; later < maps.size(); ++later) {
        const ListSpan span = maps[later][row];
        for (int64_t i = span.begin; i < span.begin + span.length; ++i) {
          if (compare[source][later](entry, i) == 0) return true;
        }
      }
      return false;
    };
    std::vector<int32_t> offsets = {0};
    int32_t count = 0;
    for (int64_t row = 0; row < shape.rows; ++row) {
      for (size_t source = 0; shape.IsValid(row) && source < maps.size(); ++source) {
        const ListSpan span = maps[source][row];
        for (int64_t i = span.begin; i < span.begin + span.length; ++i) {
          if (overridden(source, i, row)) continue;
          keys.Append(static_cast<int>(source), i);
          values.Append(static_cast<int>(source), i);
          ++count;
        }
      }
      keys.EndRow();
      values.EndRow();
      offsets.push_back(count);
    }
    CallShape plain = shape;
    plain.constant = false;
    ARROW_ASSIGN_OR_RAISE(arrow::Datum key_lists,
                          keys.Finish(plain, Type::Array(map.key()).arrow_type(), nullptr));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum value_lists,
                          values.Finish(plain, Type::Array(map.element()).arrow_type(), nullptr));
    return FinishMap(shape, map, shape.valid, std::move(offsets),
                     arrow::MakeArray(key_lists.array()->child_data[0]),
                     arrow::MakeArray(value_lists.array()->child_data[0]));
  };
  return BoundScalar{std::vector<Type>(arguments.size(), *common), *common, kernel};
}

void Add(FunctionRegistry& registry, std::vector<std::string> names, const char* signature,
         const char* description, const char* example, const char* result,
         std::vector<ScalarBinder> overloads) {
  registry.Add(ScalarFunction{std::move(names),
                              {"Map", signature, description, example, result},
                              Volatility::kImmutable,
                              std::move(overloads)});
}

}  // namespace

void RegisterMapFunctions(FunctionRegistry& registry) {
  Add(registry, {"map", "map_from_arrays"}, "map(keys, values) → map",
      "From two arrays of equal length; keys are not NULL. Also written MAP {k: v, …}.",
      "map(['a', 'b'], [1, 2])", "{\"a\":1,\"b\":2}", {BindMap});
  Add(registry, {"map_extract", "element_at"}, "map[key], element_at(map, key) → its value type",
      "The value of the key; NULL when there is none. element_at(array, i) is array[i].",
      "element_at(map(['a'], [1]), 'a')", "1", {BindExtract, BindArrayElement});
  Add(registry, {"map_keys"}, "map_keys(map) → array", "Its keys in order.",
      "map_keys(map(['a', 'b'], [1, 2]))", "[\"a\",\"b\"]", {BindPart(Part::kKeys)});
  Add(registry, {"map_values"}, "map_values(map) → array", "Its values in order of the keys.",
      "map_values(map(['a', 'b'], [1, 2]))", "[1,2]", {BindPart(Part::kValues)});
  Add(registry, {"map_entries"}, "map_entries(map) → array of struct(key, value)", "Its entries in order.",
      "map_entries(map(['a'], [1]))", "[{\"key\":\"a\",\"value\":1}]", {BindPart(Part::kEntries)});
  Add(registry, {"str_to_map"}, "str_to_map(text[, between[, inside]]) → map(text, text)",
      "Entries are divided by `between` (,), key and value by `inside` (=).", "str_to_map('a=1,b')",
      "{\"a\":\"1\",\"b\":null}", {BindStrToMap});
  Add(registry, {"map_concat"}, "map_concat(a, b, …) → map",
      "Entries of all maps; of equal keys the last counts.", "map_concat(map(['a'], [1]), map(['a'], [2]))",
      "{\"a\":2}", {BindMapConcat});
}

}  // namespace laminar
