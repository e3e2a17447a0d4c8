/// Element-wise casts of ARRAY, MAP and STRUCT (fields by position), and casts of the NULL type.

#include <arrow/array.h>

#include "functions/cast_kernel.h"

namespace laminar {

namespace {

/// The cast between parts; same types need none.
ValueCast PartCast(const Type& from, const Type& to) {
  return from == to ? ReinterpretCast(to) : FindCast(from, to);
}

arrow::Result<std::shared_ptr<arrow::Array>> CastArray(const ValueCast& cast,
                                                       const std::shared_ptr<arrow::Array>& array,
                                                       bool try_cast) {
  ARROW_ASSIGN_OR_RAISE(arrow::Datum out, cast.run(array, array->length(), try_cast));
  if (out.is_array()) return out.make_array();
  return arrow::MakeArrayFromScalar(*out.scalar(), array->length());
}

/// Runs `cast` on arrays; a scalar goes through as an array of one.
template <typename CastArrays>
CastFunction OnArrays(CastArrays cast) {
  return [cast](const arrow::Datum& value, int64_t, bool try_cast) -> arrow::Result<arrow::Datum> {
    const auto array = arrow::MakeArray(ColumnView(value).data());
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Array> out, cast(array, try_cast));
    if (value.is_array()) return arrow::Datum(std::move(out));
    ARROW_ASSIGN_OR_RAISE(auto scalar, out->GetScalar(0));
    return arrow::Datum(std::move(scalar));
  };
}

/// The list with other elements: same offsets and validity.
std::shared_ptr<arrow::Array> WithElements(const arrow::Array& list,
                                           const std::shared_ptr<arrow::DataType>& type,
                                           std::shared_ptr<arrow::ArrayData> elements) {
  auto data = list.data()->Copy();
  data->type = type;
  data->child_data = {std::move(elements)};
  return arrow::MakeArray(data);
}

ValueCast ArrayCast(const Type& from, const Type& to) {
  const ValueCast element = PartCast(from.element(), to.element());
  if (!element) return {};
  auto run = [element, type = to.arrow_type()](
                 const std::shared_ptr<arrow::Array>& array,
                 bool try_cast) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    const auto& list = static_cast<const arrow::ListArray&>(*array);
    ARROW_ASSIGN_OR_RAISE(auto elements, CastArray(element, list.values(), try_cast));
    return WithElements(*array, type, elements->data());
  };
  return {OnArrays(run), element.can_fail};
}

ValueCast MapCasts(const Type& from, const Type& to) {
  const ValueCast key = PartCast(from.key(), to.key());
  const ValueCast value = PartCast(from.element(), to.element());
  if (!key || !value) return {};
  auto run = [key, value, type = to.arrow_type()](
                 const std::shared_ptr<arrow::Array>& array,
                 bool try_cast) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    const auto& map = static_cast<const arrow::MapArray&>(*array);
    ARROW_ASSIGN_OR_RAISE(auto keys, CastArray(key, map.keys(), try_cast));
    if (keys->null_count() > 0) return arrow::Status::Invalid("a key of a MAP cannot be NULL");
    ARROW_ASSIGN_OR_RAISE(auto values, CastArray(value, map.items(), try_cast));
    const auto entry_type = static_cast<const arrow::MapType&>(*type).value_type();
    const arrow::StructArray entries(entry_type, keys->length(), {keys, values});
    return WithElements(*array, type, entries.data());
  };
  return {OnArrays(run), key.can_fail || value.can_fail};
}

ValueCast StructCast(const Type& from, const Type& to) {
  if (from.fields().size() != to.fields().size()) return {};
  std::vector<ValueCast> fields;
  bool can_fail = false;
  for (size_t i = 0; i < from.fields().size(); ++i) {
    fields.push_back(PartCast(from.fields()[i].type, to.fields()[i].type));
    if (!fields.back()) return {};
    can_fail = can_fail || fields.back().can_fail;
  }
  auto run = [fields, type = to.arrow_type()](const std::shared_ptr<arrow::Array>& array,
                                              bool try_cast) -> arrow::Result<std::shared_ptr<arrow::Array>> {
    const auto& from_struct = static_cast<const arrow::StructArray&>(*array);
    arrow::ArrayVector parts;
    for (size_t i = 0; i < fields.size(); ++i) {
      // Flattened: what lies under a NULL struct must not fail.
      ARROW_ASSIGN_OR_RAISE(auto part, from_struct.GetFlattenedField(static_cast<int>(i)));
      ARROW_ASSIGN_OR_RAISE(parts.emplace_back(), CastArray(fields[i], part, try_cast));
    }
    std::shared_ptr<arrow::Buffer> valid;
    if (array->null_count() > 0) {
      const ColumnView view{arrow::Datum(array)};
      valid = AllocateBits(array->length(), false);
      for (int64_t row = 0; row < array->length(); ++row) {
        if (view.IsValid(row)) arrow::bit_util::SetBit(valid->mutable_data(), row);
      }
    }
    return std::make_shared<arrow::StructArray>(type, array->length(), std::move(parts), valid,
                                                array->null_count());
  };
  return {OnArrays(run), can_fail};
}

}  // namespace

ValueCast FindNestedCast(const Type& from, const Type& to) {
  if (from.is_null()) {
    return {[type = to.arrow_type()](const arrow::Datum& value, int64_t rows,
                                     bool) -> arrow::Result<arrow::Datum> {
              if (value.is_scalar()) return NullDatum(type);
              ARROW_ASSIGN_OR_RAISE(auto nulls, arrow::MakeArrayOfNull(type, rows));
              return arrow::Datum(std::move(nulls));
            },
            false};
  }
  if (from.id() == TypeId::kArray && to.id() == TypeId::kArray) return ArrayCast(from, to);
  if (from.id() == TypeId::kMap && to.id() == TypeId::kMap) return MapCasts(from, to);
  if (from.id() == TypeId::kStruct && to.id() == TypeId::kStruct) return StructCast(from, to);
  if (from.id() == TypeId::kText && to.is_nested())
    return ChainCasts(FindCast(from, Type::Json()), FindCast(Type::Json(), to));
  return {};
}

}  // namespace laminar
