/// One value from an array: min, max, sum, avg, text, dimensions.

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>
#include <fmt/format.h>

#include "functions/nested/array_argument.h"
#include "functions/nested/register_nested.h"
#include "functions/overload.h"
#include "functions/value_text.h"

namespace laminar {

namespace {

/// The least (sign −1) or greatest (1) element that is not NULL.
ScalarBinder BindExtreme(int sign) {
  return ArrayAndFixed({}, 0, [sign](const Type& element) -> BoundScalar {
    return {{}, element, [sign, element](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
              const CallShape shape = ShapeOf(call);
              if (shape.all_null) return NullDatum(element.arrow_type());
              const ArrayArgument array(call.args[0]);
              const RowCompare compare = MakeRowCompare(array.elements, array.elements, element);
              elementwise::ValueWriter<int64_t> at(shape.rows);
              ValidityWriter validity(shape);
              for (int64_t row = 0; row < shape.rows; ++row) {
                int64_t best = -1;
                const ListSpan span = shape.IsValid(row) ? array[row] : ListSpan{};
                for (int64_t i = span.begin; i < span.begin + span.length; ++i) {
                  if (array.elements.IsValid(i) && (best < 0 || compare(i, best) * sign > 0)) best = i;
                }
                at.Set(row, std::max<int64_t>(best, 0));
                if (best < 0) validity.SetNull(row);
              }
              const arrow::Int64Array indices(shape.rows, (*at.Finish())[0], validity.Finish());
              ARROW_ASSIGN_OR_RAISE(auto taken,
                                    arrow::compute::Take(*arrow::MakeArray(array.elements.data()), indices,
                                                         arrow::compute::TakeOptions::NoBoundsCheck()));
              return FinishArray(shape, taken);
            }};
  });
}

/// f(reader, span, error) → optional; elements are cast to T's type by the parameter.
template <typename T, typename F>
ScalarKernel ReduceKernel(const std::shared_ptr<arrow::DataType>& type, F f) {
  return [type, f](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    if (ShapeOf(call).all_null) return NullDatum(type);
    const ArrayArgument array(call.args[0]);
    const ColumnReader<T> elements(array.elements);
    return Map<ListSpan>(call, type,
                         [&](ListSpan span, BatchError& error) { return f(elements, span, error); });
  };
}

std::optional<int64_t> SumIntegers(const ColumnReader<int64_t>& elements, ListSpan span, BatchError& error) {
  std::optional<int64_t> sum;
  for (int64_t i = span.begin; i < span.begin + span.length; ++i) {
    if (elements.IsNull(i)) continue;
    int64_t next = 0;
    if (__builtin_add_overflow(sum.value_or(0), elements[i], &next))
      error.Fail("the sum of an array overflows BIGINT");
    sum = next;
  }
  return sum;
}

std::optional<double> SumReals(const ColumnReader<double>& elements, ListSpan span, BatchError&) {
  std::optional<double> sum;
  for (int64_t i = span.begin; i < span.begin + span.length; ++i) {
    if (elements.IsValid(i)) sum = sum.value_or(0) + elements[i];
  }
  return sum;
}

std::optional<double> Average(const ColumnReader<double>& elements, ListSpan span, BatchError& error) {
  int64_t count = 0;
  for (int64_t i = span.begin; i < span.begin + span.length; ++i) count += elements.IsValid(i);
  const auto sum = SumReals(elements, span, error);
  return sum ? std::optional(*sum / static_cast<double>(count)) : std::nullopt;
}

std::optional<Type> NumberElement(const BindArguments& arguments) {
  if (arguments.size() != 1) return std::nullopt;
  const auto element = SharedElement(arguments.types[0], Type::Null());
  return element && element->is_numeric() ? element : std::nullopt;
}

std::optional<BoundScalar> BindSum(const BindArguments& arguments) {
  const auto element = NumberElement(arguments);
  if (!element) return std::nullopt;
  if (element->is_integer()) {
    return BoundScalar{{Type::Array(Type::Int64())},
                       Type::Int64(),
                       ReduceKernel<int64_t>(arrow::int64(), SumIntegers),
                       true};
  }
  return BoundScalar{
      {Type::Array(Type::Double())}, Type::Double(), ReduceKernel<double>(arrow::float64(), SumReals)};
}

std::optional<BoundScalar> BindAverage(const BindArguments& arguments) {
  if (!NumberElement(arguments)) return std::nullopt;
  return BoundScalar{
      {Type::Array(Type::Double())}, Type::Double(), ReduceKernel<double>(arrow::float64(), Average)};
}

/// (array, separator[, text for NULL]): NULL elements are left out unless they have a text.
std::optional<BoundScalar> BindToString(const BindArguments& arguments) {
  if (arguments.size() < 2 || arguments.size() > 3) return std::nullopt;
  const auto element = SharedElement(arguments.types[0], Type::Null());
  if (!element) return std::nullopt;
  std::vector<Type> parameters(arguments.size(), Type::Text());
  parameters[0] = Type::Array(*element);
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (!ImplicitlyCastable(arguments.types[i], Type::Text())) return std::nullopt;
  }
  auto kernel = [type = *element](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const std::vector<arrow::Datum> strict = {call.args[0], call.args[1]};
    CallShape shape = ShapeOf(strict, call.num_rows);
    if (shape.all_null) return NullDatum(arrow::utf8());
    if (call.args.size() == 3 && !call.args[2].is_scalar()) {
      shape.constant = false;
      shape.rows = call.num_rows;
    }
    const ArrayArgument array(call.args[0]);
    const ColumnReader<std::string_view> separator(call.args[1]);
    std::optional<ColumnReader<std::string_view>> null_text;
    if (call.args.size() == 3) null_text.emplace(call.args[2]);
    const RowText text = MakeRowText(array.elements, type, TextForm::kSql);
    TextWriter out(shape.rows, shape.rows * 32);
    for (int64_t row = 0; row < shape.rows; ++row) {
      const ListSpan span = shape.IsValid(row) ? array[row] : ListSpan{};
      bool first = true;
      for (int64_t i = span.begin; i < span.begin + span.length; ++i) {
        const bool is_null = array.elements.IsNull(i);
        if (is_null && (!null_text || null_text->IsNull(row))) continue;
        if (!first) out.Append(separator[row]);
        first = false;
        is_null ? out.Append((*null_text)[row]) : text(i, out);
      }
      out.EndRow();
    }
    ARROW_ASSIGN_OR_RAISE(auto buffers, out.Finish());
    return FinishColumn(shape, arrow::utf8(), shape.valid, std::move(buffers));
  };
  return BoundScalar{std::move(parameters), Type::Text(), kernel};
}

int Depth(const Type& type) { return type.id() == TypeId::kArray ? 1 + Depth(type.element()) : 0; }

std::optional<BoundScalar> BindDimensions(const BindArguments& arguments) {
  if (arguments.size() != 1 || arguments.types[0].id() != TypeId::kArray) return std::nullopt;
  return BoundScalar{arguments.types, Type::Int64(),
                     [depth = int64_t{Depth(arguments.types[0])}](const ScalarCall& call) {
                       return Map<ListSpan>(call, arrow::int64(), [depth](ListSpan) { return depth; });
                     }};
}

}  // namespace

void RegisterArrayReduce(FunctionRegistry& registry) {
  AddArrayFunction(registry, {"array_min", "list_min"}, "array_min(array) → its element type",
                   "The least element, NULLs left out.", "array_min([3, NULL, 1])", "1", {BindExtreme(-1)});
  AddArrayFunction(registry, {"array_max", "list_max"}, "array_max(array) → its element type",
                   "The greatest element, NULLs left out.", "array_max([3, NULL, 1])", "3", {BindExtreme(1)});
  AddArrayFunction(registry, {"array_sum", "list_sum"}, "array_sum(array) → bigint or double",
                   "Sum of the elements, NULLs left out.", "array_sum([1, NULL, 2])", "3", {BindSum});
  AddArrayFunction(registry, {"array_avg", "list_avg"}, "array_avg(array) → double",
                   "Mean of the elements, NULLs left out.", "array_avg([1, NULL, 2])", "1.5", {BindAverage});
  AddArrayFunction(
      registry, {"array_to_string", "array_join", "list_to_string", "list_join"},
      "array_to_string(array, separator[, null_text]) → text",
      "Elements as text with the separator between; NULLs are left out, or written as null_text.",
      "array_to_string([1, NULL, 3], ',', '-')", "\"1,-,3\"", {BindToString});
  AddArrayFunction(registry, {"array_ndims", "list_ndims"}, "array_ndims(array) → bigint",
                   "Levels of nesting.", "array_ndims([[1]])", "2", {BindDimensions});
}

}  // namespace laminar
