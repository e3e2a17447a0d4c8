/// Looking into arrays: length, element, membership, position.

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>

#include "functions/nested/array_argument.h"
#include "functions/nested/register_nested.h"
#include "functions/overload.h"

namespace laminar {

namespace {

// ---- length ----

arrow::Result<arrow::Datum> Length(const ScalarCall& call) {
  return Map<ListSpan>(call, arrow::int64(), [](ListSpan span) { return span.length; });
}

/// Length of the given dimension of the first element chain; NULL when there is none.
std::optional<BoundScalar> BindLengthOfDimension(const BindArguments& arguments) {
  if (arguments.size() != 2 || arguments.types[0].id() != TypeId::kArray) return std::nullopt;
  if (!ImplicitlyCastable(arguments.types[1], Type::Int64())) return std::nullopt;
  auto kernel = [](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    // Every level's reader, outermost first.
    std::vector<ListReader> levels;
    ColumnView view(call.args[0]);
    while (view.data()->type->id() == arrow::Type::LIST) {
      levels.emplace_back(view);
      view = ColumnView(levels.back().elements(), false);
    }
    auto length = [&](ListSpan span, int64_t dimension) -> std::optional<int64_t> {
      if (dimension < 1 || dimension > static_cast<int64_t>(levels.size())) return std::nullopt;
      for (int64_t level = 1; level < dimension; ++level) {
        if (span.length == 0 || levels[static_cast<size_t>(level)].IsNull(span.begin)) return std::nullopt;
        span = levels[static_cast<size_t>(level)][span.begin];
      }
      return span.length;
    };
    return Map<ListSpan, int64_t>(call, arrow::int64(), length);
  };
  return BoundScalar{{arguments.types[0], Type::Int64()}, Type::Int64(), kernel};
}

std::optional<BoundScalar> BindLength(const BindArguments& arguments) {
  if (arguments.size() != 1) return std::nullopt;
  const Type& type = arguments.types[0];
  if (type.id() != TypeId::kArray && type.id() != TypeId::kMap && !type.is_null()) return std::nullopt;
  return BoundScalar{{type.is_null() ? Type::Array(Type::Text()) : type}, Type::Int64(), Length};
}

std::optional<BoundScalar> BindEmpty(const BindArguments& arguments) {
  auto bound = BindLength(arguments);
  if (!bound) return std::nullopt;
  bound->result = Type::Boolean();
  bound->kernel = [](const ScalarCall& call) {
    return Map<ListSpan>(call, arrow::boolean(), [](ListSpan span) { return span.length == 0; });
  };
  return bound;
}

// ---- element ----

/// Index into the elements for the 1-based `index` (negative: from the end); −1 when there is none.
int64_t ElementAt(ListSpan span, int64_t index) {
  if (index < 0) index += span.length + 1;
  return index >= 1 && index <= span.length ? span.begin + index - 1 : -1;
}

BoundScalar BindElement(const Type& element) {
  return {{}, element, [](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
            const CallShape shape = ShapeOf(call);
            const ArrayArgument array(call.args[0]);
            if (shape.all_null) return NullDatum(array.elements.data()->type);
            const ColumnReader<int64_t> index(call.args[1]);
            elementwise::ValueWriter<int64_t> at(shape.rows);
            ValidityWriter validity(shape);
            for (int64_t row = 0; row < shape.rows; ++row) {
              const int64_t element = shape.IsValid(row) ? ElementAt(array[row], index[row]) : -1;
              at.Set(row, std::max<int64_t>(element, 0));
              if (element < 0) validity.SetNull(row);
            }
            const arrow::Int64Array indices(shape.rows, (*at.Finish())[0], validity.Finish());
            ARROW_ASSIGN_OR_RAISE(auto taken,
                                  arrow::compute::Take(*arrow::MakeArray(array.elements.data()), indices,
                                                       arrow::compute::TakeOptions::NoBoundsCheck()));
            return FinishArray(shape, taken);
          }};
}

// ---- membership and position ----

/// Position (1-based) of the first element from `begin` on that is equal to the row's value; 0: none. A NULL
/// value finds NULL elements.
class Finder {
 public:
  Finder(const ScalarCall& call, const Type& element)
      : array_(call.args[0]),
        value_(call.args[1]),
        compare_(MakeRowCompare(array_.elements, value_, element)) {}

  int64_t Find(int64_t row, int64_t from = 1) const {
    const ListSpan span = array_[row];
    const bool wants_null = value_.IsNull(row);
    for (int64_t i = from; i <= span.length; ++i) {
      const int64_t element = span.begin + i - 1;
      const bool is_null = array_.elements.IsNull(element);
      if (is_null || wants_null ? is_null && wants_null : compare_(element, row) == 0) return i;
    }
    return 0;
  }

 private:
  ArrayArgument array_;
  ColumnView value_;
  RowCompare compare_;
};

BoundScalar BindContains(const Type& element) {
  return {{}, Type::Boolean(), [element](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
            const CallShape shape = ShapeOf(call);
            if (shape.all_null) return NullDatum(arrow::boolean());
            const Finder finder(call, element);
            elementwise::ValueWriter<bool> writer(shape.rows);
            for (int64_t row = 0; row < shape.rows; ++row) {
              if (shape.IsValid(row)) writer.Set(row, finder.Find(row) > 0);
            }
            return FinishColumn(shape, arrow::boolean(), shape.valid, *writer.Finish());
          }};
}

BoundScalar BindPosition(const Type& element) {
  return {{}, Type::Int64(), [element](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
            const CallShape shape = ShapeOfFirst(call);
            if (shape.all_null) return NullDatum(arrow::int64());
            const Finder finder(call, element);
            elementwise::ValueWriter<int64_t> writer(shape.rows);
            ValidityWriter validity(shape);
            for (int64_t row = 0; row < shape.rows; ++row) {
              const int64_t position = shape.IsValid(row) ? finder.Find(row) : 0;
              writer.Set(row, position);
              if (position == 0) validity.SetNull(row);
            }
            return FinishColumn(shape, arrow::int64(), validity.Finish(), *writer.Finish());
          }};
}

BoundScalar BindPositions(const Type& element) {
  const Type result = Type::Array(Type::Int64());
  return {{},
          result,
          [element, type = result.arrow_type()](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
            const CallShape shape = ShapeOfFirst(call);
            if (shape.all_null) return NullDatum(type);
            const Finder finder(call, element);
            std::vector<int64_t> positions;
            std::vector<int32_t> offsets = {0};
            for (int64_t row = 0; row < shape.rows; ++row) {
              if (shape.IsValid(row)) {
                for (int64_t at = finder.Find(row); at > 0; at = finder.Find(row, at + 1))
                  positions.push_back(at);
              }
              offsets.push_back(static_cast<int32_t>(positions.size()));
            }
            const int64_t count = static_cast<int64_t>(positions.size());
            auto values = arrow::ArrayData::Make(
                arrow::int64(), count, {nullptr, arrow::Buffer::FromVector(std::move(positions))}, 0);
            auto data = arrow::ArrayData::Make(
                type, shape.rows, {shape.valid, arrow::Buffer::FromVector(std::move(offsets))}, {values});
            return FinishArray(shape, arrow::MakeArray(data));
          }};
}

/// Whether all (or any) elements of the second array are in the first. `swap`: the other way round.
ScalarBinder BindHas(bool all, bool swap) {
  return ArrayAndArray([=](const Type& element) -> BoundScalar {
    return {{}, Type::Boolean(), [=](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
              const CallShape shape = ShapeOf(call);
              if (shape.all_null) return NullDatum(arrow::boolean());
              const ArrayArgument whole(call.args[swap ? 1 : 0]);
              const ArrayArgument part(call.args[swap ? 0 : 1]);
              const RowCompare compare = MakeRowCompare(whole.elements, part.elements, element);
              auto contains = [&](ListSpan in, int64_t wanted) {
                const bool wants_null = part.elements.IsNull(wanted);
                for (int64_t i = in.begin; i < in.begin + in.length; ++i) {
                  const bool is_null = whole.elements.IsNull(i);
                  if (is_null || wants_null ? is_null && wants_null : compare(i, wanted) == 0) return true;
                }
                return false;
              };
              elementwise::ValueWriter<bool> writer(shape.rows);
              for (int64_t row = 0; row < shape.rows; ++row) {
                if (!shape.IsValid(row)) continue;
                const ListSpan wanted = part[row];
                bool found = all;
                for (int64_t i = 0; i < wanted.length && found == all; ++i)
                  found = contains(whole[row], wanted.begin + i);
                writer.Set(row, found);
              }
              return FinishColumn(shape, arrow::boolean(), shape.valid, *writer.Finish());
            }};
  });
}

}  // namespace

std::optional<BoundScalar> BindArrayElement(const BindArguments& arguments) {
  return ArrayAndFixed({Type::Int64()}, 0, BindElement)(arguments);
}

void RegisterArrayAccess(FunctionRegistry& registry) {
  AddArrayFunction(registry, {"array_length", "cardinality", "array_size", "list_length"},
                   "array_length(array or map[, dimension]) → bigint",
                   "Number of elements (of a dimension: of its first array; NULL when there is none).",
                   "array_length([1, 2, NULL])", "3", {BindLength, BindLengthOfDimension});
  AddArrayFunction(registry, {"empty"}, "empty(array or map) → boolean", "Whether it has no elements.",
                   "empty([1])", "false", {BindEmpty});
  AddArrayFunction(registry, {"array_element", "array_extract", "list_element"},
                   "array[i], array_element(array, i) → its element type",
                   "Element i, counted from 1, or from the end when negative; NULL out of range.",
                   "array_element([10, 20, 30], -1)", "30", {BindArrayElement});
  AddArrayFunction(registry, {"array_contains", "array_has", "list_contains", "list_has"},
                   "array_contains(array, x) → boolean", "Whether an element equals x.",
                   "array_contains([1, 2], 2)", "true", {ArrayAndElement(BindContains)});
  AddArrayFunction(registry, {"array_has_all", "@>", "list_has_all"}, "array_has_all(a, b), a @> b → boolean",
                   "Whether a has all elements of b.", "array_has_all([1, 2, 3], [3, 1])", "true",
                   {BindHas(true, false)});
  AddArrayFunction(registry, {"<@"}, "a <@ b → boolean", "Whether b has all elements of a.", "[1] <@ [1, 2]",
                   "true", {BindHas(true, true)});
  AddArrayFunction(registry, {"array_has_any", "arrays_overlap", "list_has_any"},
                   "array_has_any(a, b) → boolean", "Whether the arrays have an element in common.",
                   "array_has_any([1, 2], [2, 3])", "true", {BindHas(false, false)});
  AddArrayFunction(registry, {"array_position", "list_position"}, "array_position(array, x) → bigint",
                   "Position of the first element that equals x, from 1; NULL when there is none. x = NULL "
                   "finds NULL elements.",
                   "array_position(['a', 'b', 'b'], 'b')", "2", {ArrayAndElement(BindPosition)});
  AddArrayFunction(registry, {"array_positions", "list_positions"}, "array_positions(array, x) → bigint[]",
                   "Positions of all elements that equal x.", "array_positions(['a', 'b', 'b'], 'b')",
                   "[2,3]", {ArrayAndElement(BindPositions)});
}

}  // namespace laminar
