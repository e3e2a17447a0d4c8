/// RANGE and GENERATE_SERIES of numbers and timestamps.

#include <arrow/array.h>
#include <fmt/format.h>

#include "functions/datetime/calendar.h"
#include "functions/datetime/time_unit.h"
#include "functions/nested/array_argument.h"
#include "functions/nested/register_nested.h"
#include "functions/overload.h"

namespace laminar {

namespace {

constexpr int64_t kElementsMax = 1'000'000;  // of one array: a wrong bound must not fill the memory

/// Collects arrays of int64-like elements.
class SeriesWriter {
 public:
  void Push(int64_t value) { values_.push_back(value); }
  void EndRow() { offsets_.push_back(static_cast<int32_t>(values_.size())); }
  size_t row_size() const { return values_.size() - static_cast<size_t>(offsets_.back()); }
  arrow::Result<arrow::Datum> Finish(const CallShape& shape, const std::shared_ptr<arrow::DataType>& type) {
    const int64_t count = static_cast<int64_t>(values_.size());
    const auto element = static_cast<const arrow::ListType&>(*type).value_type();
    auto values =
        arrow::ArrayData::Make(element, count, {nullptr, arrow::Buffer::FromVector(std::move(values_))}, 0);
    auto data = arrow::ArrayData::Make(
        type, shape.rows, {shape.valid, arrow::Buffer::FromVector(std::move(offsets_))}, {values});
    return FinishArray(shape, arrow::MakeArray(data));
  }

 private:
  std::vector<int64_t> values_;
  std::vector<int32_t> offsets_{0};
};

/// Runs fill(row, writer, error) for each row.
template <typename Fill>
arrow::Result<arrow::Datum> MakeSeries(const ScalarCall& call, const Type& element, Fill fill) {
  const auto type = Type::Array(element).arrow_type();
  const CallShape shape = ShapeOf(call);
  if (shape.all_null) return NullDatum(type);
  SeriesWriter writer;
  BatchError error;
  for (int64_t row = 0; row < shape.rows && !error.failed(); ++row) {
    if (shape.IsValid(row)) fill(row, writer, error);
    writer.EndRow();
  }
  if (error.failed()) return error.status();
  return writer.Finish(shape, type);
}

void TooMany(BatchError& error) {
  error.Fail([] { return fmt::format("a series has more than {} elements", kElementsMax); });
}

void FillNumbers(int64_t start, int64_t stop, int64_t step, bool inclusive, SeriesWriter& out,
                 BatchError& error) {
  if (step == 0) return error.Fail("the step of a series must not be 0");
  auto goes_on = [&](int64_t value) { return step > 0 ? value < stop : value > stop; };
  int64_t value = start;
  while (goes_on(value) || (inclusive && value == stop)) {
    out.Push(value);
    if (out.row_size() > static_cast<size_t>(kElementsMax)) return TooMany(error);
    if (__builtin_add_overflow(value, step, &value)) return;
  }
}

/// range(stop), range(start, stop[, step]): without stop. generate_series: with it.
ScalarBinder BindNumbers(bool inclusive) {
  return [inclusive](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() < (inclusive ? 2u : 1u) || arguments.size() > 3) return std::nullopt;
    const std::vector<Type> parameters(arguments.size(), Type::Int64());
    if (!Accepts(parameters, arguments.types)) return std::nullopt;
    return BoundScalar{
        parameters, Type::Array(Type::Int64()),
        [inclusive](const ScalarCall& call) {
          std::vector<ColumnReader<int64_t>> args;
          return MakeSeries(call, Type::Int64(), [&](int64_t row, SeriesWriter& out, BatchError& error) {
            if (args.empty()) {
              for (const arrow::Datum& arg : call.args) args.emplace_back(arg);
            }
            const int64_t start = args.size() == 1 ? 0 : args[0][row];
            const int64_t stop = args.size() == 1 ? args[0][row] : args[1][row];
            FillNumbers(start, stop, args.size() == 3 ? args[2][row] : 1, inclusive, out, error);
          });
        },
        true};
  };
}

/// (start, stop, interval) of timestamps.
ScalarBinder BindMoments(bool inclusive) {
  return [inclusive](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 3) return std::nullopt;
    auto type = MomentType(arguments.types[0]);
    if (!type || !MomentType(arguments.types[1]) || !ImplicitlyCastable(arguments.types[2], Type::Interval()))
      return std::nullopt;
    if (type->id() == TypeId::kDate) type = Type::Timestamp();
    return BoundScalar{
        {*type, *type, Type::Interval()},
        Type::Array(*type),
        [inclusive, element = *type, per_second = TicksPerSecond(*type)](const ScalarCall& call) {
          std::optional<ColumnReader<int64_t>> starts, stops;
          std::optional<ColumnReader<MonthDayNanos>> steps;
          return MakeSeries(call, element, [&](int64_t row, SeriesWriter& out, BatchError& error) {
            if (!starts) {
              starts.emplace(call.args[0]);
              stops.emplace(call.args[1]);
              steps.emplace(call.args[2]);
            }
            const int64_t start = (*starts)[row];
            const int64_t stop = (*stops)[row];
            const auto first = AddInterval(start, per_second, (*steps)[row]);
            if (!first || *first == start)
              return error.Fail("the step of a series must not be 0 or out of range");
            const bool up = *first > start;
            // Each from the start, so that steps of a month don't drift from the 31st.
            for (int64_t i = 0;; ++i) {
              const auto shift = MultiplyInterval((*steps)[row], i);
              const auto at = shift ? AddInterval(start, per_second, *shift) : std::nullopt;
              if (!at || (up ? *at > stop : *at < stop) || (!inclusive && *at == stop)) return;
              out.Push(*at);
              if (i >= kElementsMax) return TooMany(error);
            }
          });
        },
        true};
  };
}

}  // namespace

void RegisterSeries(FunctionRegistry& registry) {
  AddArrayFunction(registry, {"range"}, "range([start,] stop[, step]) → array",
                   "Numbers or timestamps from start (0) up to but without stop, at most 1,000,000; the step "
                   "of timestamps is an INTERVAL.",
                   "range(1, 4)", "[1,2,3]", {BindNumbers(false), BindMoments(false)});
  AddArrayFunction(registry, {"generate_series"}, "generate_series(start, stop[, step]) → array",
                   "As range, with stop.", "generate_series(1, 7, 3)", "[1,4,7]",
                   {BindNumbers(true), BindMoments(true)});
}

}  // namespace laminar
