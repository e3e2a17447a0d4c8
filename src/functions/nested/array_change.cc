/// Arrays from arrays: make, append, concat, remove, replace, reverse, slice, flatten, resize.

#include <algorithm>

#include "functions/nested/array_argument.h"
#include "functions/nested/register_nested.h"
#include "functions/overload.h"

namespace laminar {

namespace {

std::optional<BoundScalar> BindMakeArray(const BindArguments& arguments) {
  std::optional<Type> element = Type::Null();
  for (size_t i = 0; i < arguments.size() && element; ++i) element = CommonType(*element, arguments.types[i]);
  if (!element) return std::nullopt;
  const Type array = Type::Array(*element);
  auto kernel = [type = array.arrow_type()](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    CallShape shape;
    for (const arrow::Datum& arg : call.args) shape.constant = shape.constant && arg.is_scalar();
    shape.rows = shape.constant ? 1 : call.num_rows;
    ArrayBuilding building(shape.rows);
    std::vector<ColumnView> views;
    for (const arrow::Datum& arg : call.args) building.AddSource(views.emplace_back(arg).data());
    for (int64_t row = 0; row < shape.rows; ++row) {
      for (size_t i = 0; i < views.size(); ++i)
        building.Append(static_cast<int>(i), views[i].is_constant() ? 0 : row);
      building.EndRow();
    }
    return building.Finish(shape, type, nullptr);
  };
  return BoundScalar{std::vector<Type>(arguments.size(), *element), array, kernel};
}

/// a ‖ b ‖ … of arrays; a NULL array makes NULL.
std::optional<BoundScalar> BindConcat(const BindArguments& arguments) {
  if (arguments.size() == 0) return std::nullopt;
  std::optional<Type> common = Type::Null();
  for (size_t i = 0; i < arguments.size() && common; ++i) common = CommonType(*common, arguments.types[i]);
  if (!common || common->id() != TypeId::kArray) return std::nullopt;
  auto kernel = [type = common->arrow_type()](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const CallShape shape = ShapeOf(call);
    if (shape.all_null) return NullDatum(type);
    ArrayBuilding building(shape.rows);
    std::vector<ListReader> lists;
    for (const arrow::Datum& arg : call.args) building.AddSource(lists.emplace_back(arg).elements());
    for (int64_t row = 0; row < shape.rows; ++row) {
      for (size_t i = 0; shape.IsValid(row) && i < lists.size(); ++i)
        building.AppendSpan(static_cast<int>(i), lists[i][row]);
      building.EndRow();
    }
    return building.Finish(shape, type, shape.valid);
  };
  return BoundScalar{std::vector<Type>(arguments.size(), *common), *common, kernel};
}

/// Result row from the first argument's span; strict in all arguments but those that may be NULL values.
template <typename Build>
ScalarKernel BuildRows(const Type& result, bool strict, Build build) {
  return [type = result.arrow_type(), strict, build](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const CallShape shape = strict ? ShapeOf(call) : ShapeOfFirst(call);
    if (shape.all_null) return NullDatum(type);
    ArrayBuilding building(shape.rows);
    const ArrayArgument array(call.args[0]);
    building.AddSource(array.lists.elements());
    auto append_row = build(call, array, building);
    for (int64_t row = 0; row < shape.rows; ++row) {
      if (shape.IsValid(row)) append_row(row, array[row]);
      building.EndRow();
    }
    return building.Finish(shape, type, shape.valid);
  };
}

// ---- one element more ----

BoundScalar BindAppend(const Type& element) {
  const Type array = Type::Array(element);
  return {{},
          array,
          BuildRows(array, false, [](const ScalarCall& call, const ArrayArgument&, ArrayBuilding& out) {
            const ColumnView value(call.args[1]);
            const int source = out.AddSource(value.data());
            return [value, source, &out](int64_t row, ListSpan span) {
              out.AppendSpan(0, span);
              out.Append(source, value.is_constant() ? 0 : row);
            };
          })};
}

/// (x, array)
std::optional<BoundScalar> BindPrepend(const BindArguments& arguments) {
  if (arguments.size() != 2) return std::nullopt;
  const auto element = SharedElement(arguments.types[1], arguments.types[0]);
  if (!element) return std::nullopt;
  const Type array = Type::Array(*element);
  auto kernel = BuildRows(array, false, [](const ScalarCall& call, const ArrayArgument&, ArrayBuilding& out) {
    const ColumnView value(call.args[1]);
    const int source = out.AddSource(value.data());
    return [value, source, &out](int64_t row, ListSpan span) {
      out.Append(source, value.is_constant() ? 0 : row);
      out.AppendSpan(0, span);
    };
  });
  return BoundScalar{{*element, array}, array, [kernel](const ScalarCall& call) {
                       const std::vector<arrow::Datum> args = {call.args[1], call.args[0]};
                       return kernel({args, call.num_rows, call.context});
                     }};
}

// ---- remove, replace ----

/// Compares elements with a value column; NULL equals NULL.
auto ElementEquals(const ArrayArgument& array, const ColumnView& value, const Type& element) {
  return [elements = array.elements, value, compare = MakeRowCompare(array.elements, value, element)](
             int64_t i, int64_t row) {
    const bool a_null = elements.IsNull(i);
    const bool b_null = value.IsNull(row);
    return a_null || b_null ? a_null && b_null : compare(i, row) == 0;
  };
}

ScalarBinder BindRemove(bool all) {
  return ArrayAndElement([all](const Type& element) -> BoundScalar {
    const Type array = Type::Array(element);
    return {{},
            array,
            BuildRows(array, false,
                      [all, element](const ScalarCall& call, const ArrayArgument& in, ArrayBuilding& out) {
                        return [all, equals = ElementEquals(in, ColumnView(call.args[1]), element), &out](
                                   int64_t row, ListSpan span) {
                          bool removed = false;
                          for (int64_t i = span.begin; i < span.begin + span.length; ++i) {
                            const bool drop = (all || !removed) && equals(i, row);
                            removed = removed || drop;
                            if (!drop) out.Append(0, i);
                          }
                        };
                      })};
  });
}

ScalarBinder BindReplace(bool all) {
  return [all](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 3) return std::nullopt;
    auto element = SharedElement(arguments.types[0], arguments.types[1]);
    if (element) element = CommonType(*element, arguments.types[2]);
    if (!element) return std::nullopt;
    const Type array = Type::Array(*element);
    auto kernel = BuildRows(
        array, false,
        [all, type = *element](const ScalarCall& call, const ArrayArgument& in, ArrayBuilding& out) {
          const ColumnView with(call.args[2]);
          const int source = out.AddSource(with.data());
          return [all, with, source, equals = ElementEquals(in, ColumnView(call.args[1]), type), &out](
                     int64_t row, ListSpan span) {
            bool replaced = false;
            for (int64_t i = span.begin; i < span.begin + span.length; ++i) {
              const bool change = (all || !replaced) && equals(i, row);
              replaced = replaced || change;
              change ? out.Append(source, with.is_constant() ? 0 : row) : out.Append(0, i);
            }
          };
        });
    return BoundScalar{{array, *element, *element}, array, kernel};
  };
}

// ---- order and parts ----

BoundScalar BindReverse(const Type& element) {
  const Type array = Type::Array(element);
  return {{}, array, BuildRows(array, true, [](const ScalarCall&, const ArrayArgument&, ArrayBuilding& out) {
            return [&out](int64_t, ListSpan span) {
              for (int64_t i = span.length - 1; i >= 0; --i) out.Append(0, span.begin + i);
            };
          })};
}

/// (array, from, to): both counted from 1 and inclusive; negative ones from the end.
BoundScalar BindSlice(const Type& element) {
  const Type array = Type::Array(element);
  return {
      {}, array, BuildRows(array, true, [](const ScalarCall& call, const ArrayArgument&, ArrayBuilding& out) {
        return [from = ColumnReader<int64_t>(call.args[1]), to = ColumnReader<int64_t>(call.args[2]), &out](
                   int64_t row, ListSpan span) {
          auto position = [&](int64_t index) { return index < 0 ? index + span.length + 1 : index; };
          const int64_t first = std::max<int64_t>(position(from[row]), 1);
          const int64_t last = std::min(position(to[row]), span.length);
          for (int64_t i = first; i <= last; ++i) out.Append(0, span.begin + i - 1);
        };
      })};
}

/// Without the first or the last element.
ScalarBinder BindPop(bool front) {
  return ArrayAndFixed({}, 0, [front](const Type& element) -> BoundScalar {
    const Type array = Type::Array(element);
    return {{},
            array,
            BuildRows(array, true, [front](const ScalarCall&, const ArrayArgument&, ArrayBuilding& out) {
              return [front, &out](int64_t, ListSpan span) {
                if (span.length == 0) return;
                out.AppendSpan(0, {span.begin + (front ? 1 : 0), span.length - 1});
              };
            })};
  });
}

/// (array, length[, filler]): cut off or filled up.
std::optional<BoundScalar> BindResize(const BindArguments& arguments) {
  if (arguments.size() < 2 || arguments.size() > 3 || !ImplicitlyCastable(arguments.types[1], Type::Int64()))
    return std::nullopt;
  const auto element =
      SharedElement(arguments.types[0], arguments.size() == 3 ? arguments.types[2] : Type::Null());
  if (!element) return std::nullopt;
  const Type array = Type::Array(*element);
  auto kernel = BuildRows(array, true, [](const ScalarCall& call, const ArrayArgument&, ArrayBuilding& out) {
    std::optional<ColumnView> filler;
    if (call.args.size() == 3) filler.emplace(call.args[2]);
    const int source = filler ? out.AddSource(filler->data()) : -1;
    return [length = ColumnReader<int64_t>(call.args[1]), filler, source, &out](int64_t row, ListSpan span) {
      const int64_t wanted = std::clamp<int64_t>(length[row], 0, INT32_MAX);
      out.AppendSpan(0, {span.begin, std::min(span.length, wanted)});
      for (int64_t i = span.length; i < wanted; ++i) {
        filler ? out.Append(source, filler->is_constant() ? 0 : row) : out.AppendNull();
      }
    };
  });
  std::vector<Type> parameters = {array, Type::Int64()};
  if (arguments.size() == 3) parameters.push_back(*element);
  return BoundScalar{std::move(parameters), array, kernel};
}

/// (x, count)
std::optional<BoundScalar> BindRepeat(const BindArguments& arguments) {
  if (arguments.size() != 2 || !ImplicitlyCastable(arguments.types[1], Type::Int64())) return std::nullopt;
  const Type element = arguments.types[0].is_null() ? Type::Text() : arguments.types[0];
  const Type array = Type::Array(element);
  auto kernel = [type = array.arrow_type()](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    CallShape shape = ShapeOf({call.args[1]}, call.num_rows);
    if (shape.all_null) return NullDatum(type);
    shape.constant = call.args[0].is_scalar() && call.args[1].is_scalar();
    shape.rows = shape.constant ? 1 : call.num_rows;
    const ColumnView value(call.args[0]);
    const ColumnReader<int64_t> count(call.args[1]);
    ArrayBuilding building(shape.rows);
    building.AddSource(value.data());
    for (int64_t row = 0; row < shape.rows; ++row) {
      const int64_t times = shape.IsValid(row) ? std::min<int64_t>(count[row], 1'000'000) : 0;
      for (int64_t i = 0; i < times; ++i) building.Append(0, value.is_constant() ? 0 : row);
      building.EndRow();
    }
    return building.Finish(shape, type, shape.valid);
  };
  return BoundScalar{{element, Type::Int64()}, array, kernel};
}

/// One level of nesting less; NULL inner arrays add nothing.
std::optional<BoundScalar> BindFlatten(const BindArguments& arguments) {
  if (arguments.size() != 1 || arguments.types[0].id() != TypeId::kArray) return std::nullopt;
  const Type inner = arguments.types[0].element();
  if (inner.id() != TypeId::kArray) {
    return BoundScalar{arguments.types, arguments.types[0],
                       [](const ScalarCall& call) -> arrow::Result<arrow::Datum> { return call.args[0]; }};
  }
  auto kernel = [type = inner.arrow_type()](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const CallShape shape = ShapeOf(call);
    if (shape.all_null) return NullDatum(type);
    const ArrayArgument outer(call.args[0]);
    const ListReader lists(outer.elements);
    ArrayBuilding building(shape.rows);
    building.AddSource(lists.elements());
    for (int64_t row = 0; row < shape.rows; ++row) {
      const ListSpan span = shape.IsValid(row) ? outer[row] : ListSpan{};
      for (int64_t i = span.begin; i < span.begin + span.length; ++i) {
        if (lists.IsValid(i)) building.AppendSpan(0, lists[i]);
      }
      building.EndRow();
    }
    return building.Finish(shape, type, shape.valid);
  };
  return BoundScalar{arguments.types, inner, kernel};
}

}  // namespace

void RegisterArrayChange(FunctionRegistry& registry) {
  const Type bigint = Type::Int64();
  AddArrayFunction(registry, {"make_array", "array"}, "ARRAY[a, …], [a, …], make_array(a, …) → array",
                   "NULLs are elements too.", "make_array(1, NULL, 3)", "[1,null,3]", {BindMakeArray});
  AddArrayFunction(registry, {"array_append", "list_append", "array_push_back"},
                   "array_append(array, x) → array", "x comes last.", "array_append([1, 2], 3)", "[1,2,3]",
                   {ArrayAndElement(BindAppend)});
  AddArrayFunction(registry, {"array_prepend", "list_prepend", "array_push_front"},
                   "array_prepend(x, array) → array", "x comes first.", "array_prepend(0, [1, 2])", "[0,1,2]",
                   {BindPrepend});
  AddArrayFunction(registry, {"array_concat", "array_cat", "list_concat", "list_cat"},
                   "array_concat(a, b, …) → array", "All elements in order; NULL when an array is NULL.",
                   "array_concat([1], [2, 3])", "[1,2,3]", {BindConcat});
  AddArrayFunction(registry, {"array_remove", "list_remove"}, "array_remove(array, x) → array",
                   "Without the first element that equals x.", "array_remove([1, 2, 1], 1)", "[2,1]",
                   {BindRemove(false)});
  AddArrayFunction(registry, {"array_remove_all", "list_remove_all"}, "array_remove_all(array, x) → array",
                   "Without the elements that equal x.", "array_remove_all([1, 2, 1], 1)", "[2]",
                   {BindRemove(true)});
  AddArrayFunction(registry, {"array_replace", "list_replace"}, "array_replace(array, x, y) → array",
                   "The first element that equals x becomes y.", "array_replace([1, 2, 1], 1, 9)", "[9,2,1]",
                   {BindReplace(false)});
  AddArrayFunction(registry, {"array_replace_all", "list_replace_all"},
                   "array_replace_all(array, x, y) → array", "Each element that equals x becomes y.",
                   "array_replace_all([1, 2, 1], 1, 9)", "[9,2,9]", {BindReplace(true)});
  AddArrayFunction(registry, {"array_reverse", "list_reverse"}, "array_reverse(array) → array",
                   "Last element first.", "array_reverse([1, 2, 3])", "[3,2,1]",
                   {ArrayAndFixed({}, 0, BindReverse)});
  AddArrayFunction(registry, {"array_slice", "list_slice"}, "array[i:j], array_slice(array, i, j) → array",
                   "Elements i to j, counted from 1, inclusive; negative positions count from the end.",
                   "array_slice([1, 2, 3, 4], 2, -1)", "[2,3,4]",
                   {ArrayAndFixed({bigint, bigint}, 0, BindSlice)});
  AddArrayFunction(registry, {"array_pop_back", "list_pop_back"}, "array_pop_back(array) → array",
                   "Without its last element.", "array_pop_back([1, 2])", "[1]", {BindPop(false)});
  AddArrayFunction(registry, {"array_pop_front", "list_pop_front"}, "array_pop_front(array) → array",
                   "Without its first element.", "array_pop_front([1, 2])", "[2]", {BindPop(true)});
  AddArrayFunction(registry, {"array_resize", "list_resize"}, "array_resize(array, n[, x]) → array",
                   "Cut off to n elements, or filled up with x (NULL).", "array_resize([1], 3, 0)", "[1,0,0]",
                   {BindResize});
  AddArrayFunction(registry, {"array_repeat", "list_repeat"}, "array_repeat(x, n) → array",
                   "n times x, at most 1,000,000.", "array_repeat('a', 2)", "[\"a\",\"a\"]", {BindRepeat});
  AddArrayFunction(registry, {"flatten"}, "flatten(array of arrays) → array", "One level of nesting less.",
                   "flatten([[1], [2, 3]])", "[1,2,3]", {BindFlatten});
}

}  // namespace laminar
