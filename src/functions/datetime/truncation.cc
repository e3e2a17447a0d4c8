/// DATE_TRUNC, FLOOR(x TO f), CEIL(x TO f), DATE_BIN.

#include <utility>

#include "base/error.h"
#include "functions/datetime/calendar.h"
#include "functions/datetime/register_datetime.h"
#include "functions/datetime/time_unit.h"
#include "functions/elementwise.h"
#include "functions/overload.h"

namespace laminar {

namespace {

using ToUnit = std::optional<int64_t> (*)(int64_t ticks, int64_t ticks_per_second, TimeUnit unit);

std::string OutOfRange(int64_t ticks, const Type& type) {
  return "rounding " +
         (type.precision() == 9 ? TimestampNsToText(ticks, ' ') : TimestampUsToText(ticks, ' ')) +
         " leaves the range of " + type.ToString();
}

ScalarKernel UnitKernel(const Type& type, TimeUnit unit, ToUnit to_unit, size_t argument) {
  if (type.id() == TypeId::kDate) {
    // A day at one tick a second: dates never leave the range here.
    return [=](const ScalarCall& call) {
      const std::vector<arrow::Datum> args = {call.args[argument]};
      return Map<int32_t>({args, call.num_rows, call.context}, arrow::date32(), [&](int32_t days) {
        return static_cast<int32_t>(
            FloorDivide(to_unit(int64_t{days} * 86'400, 1, unit).value_or(0), 86'400));
      });
    };
  }
  return [=, per_second = TicksPerSecond(type)](const ScalarCall& call) {
    const std::vector<arrow::Datum> args = {call.args[argument]};
    return Map<int64_t>({args, call.num_rows, call.context}, type.arrow_type(),
                        [&](int64_t ticks, BatchError& error) {
                          const auto out = to_unit(ticks, per_second, unit);
                          if (!out) error.Fail([&] { return OutOfRange(ticks, type); });
                          return out.value_or(0);
                        });
  };
}

/// `unit_at`: which argument is the unit; the other is the moment.
ScalarBinder UnitBinder(ToUnit to_unit, size_t unit_at) {
  return [=](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 2) return std::nullopt;
    const size_t moment_at = 1 - unit_at;
    auto type = MomentType(arguments.types[moment_at]);
    if (!type) return std::nullopt;
    const auto unit = ConstantUnit(arguments, unit_at);
    if (!unit) return std::nullopt;
    // The start of an hour of a DATE is its midnight.
    if (type->id() == TypeId::kDate && UnitNanos(*unit) > 0 && UnitNanos(*unit) < kDayNs)
      type = Type::Timestamp();
    std::vector<Type> parameters(2, Type::Text());
    parameters[moment_at] = *type;
    return BoundScalar{std::move(parameters), *type, UnitKernel(*type, *unit, to_unit, moment_at), true};
  };
}

/// The start of the bin of `width` from `origin` that holds the moment.
std::optional<int64_t> BinStart(int64_t ticks, int64_t origin, const MonthDayNanos& width,
                                int64_t per_second) {
  const int64_t day = 86'400 * per_second;
  if (width.months > 0) {
    const int64_t months = UnitsBetween(origin, ticks, per_second, TimeUnit::kMonth);
    int64_t bins = FloorDivide(months, width.months);
    auto start = AddUnits(origin, per_second, TimeUnit::kMonth, bins * width.months);
    // Months are counted towards 0: before the origin the start may lie behind the moment.
    if (start && *start > ticks)
      start = AddUnits(origin, per_second, TimeUnit::kMonth, (bins - 1) * width.months);
    return start;
  }
  const __int128 size = __int128{width.days} * day + width.nanoseconds / (kSecondNs / per_second);
  const __int128 since = __int128{ticks} - origin;
  __int128 rest = since % size;
  if (rest < 0) rest += size;
  const __int128 start = __int128{ticks} - rest;
  if (start < INT64_MIN) return std::nullopt;
  return static_cast<int64_t>(start);
}

std::optional<BoundScalar> BindDateBin(const BindArguments& arguments) {
  if (arguments.size() < 2 || arguments.size() > 3) return std::nullopt;
  auto type = MomentType(arguments.types[1]);
  if (!type || !ImplicitlyCastable(arguments.types[0], Type::Interval())) return std::nullopt;
  if (type->id() == TypeId::kDate) type = Type::Timestamp();
  std::vector<Type> parameters = {Type::Interval(), *type};
  if (arguments.size() == 3) {
    if (!MomentType(arguments.types[2])) return std::nullopt;
    parameters.push_back(*type);
  }
  const int64_t per_second = TicksPerSecond(*type);
  auto bin = [per_second, type = *type](const MonthDayNanos& width, int64_t ticks, int64_t origin,
                                        BatchError& error) -> int64_t {
    const bool mixed = width.months != 0 && (width.days != 0 || width.nanoseconds != 0);
    if (mixed || width.months < 0 ||
        (width.months == 0 && __int128{width.days} * kDayNs + width.nanoseconds < kSecondNs / per_second)) {
      error.Fail("the width of date_bin must be positive, and either months or days and time");
      return 0;
    }
    const auto start = BinStart(ticks, origin, width, per_second);
    if (!start) error.Fail([&] { return OutOfRange(ticks, type); });
    return start.value_or(0);
  };
  const bool has_origin = arguments.size() == 3;
  return BoundScalar{std::move(parameters), *type,
                     [=, arrow_type = type->arrow_type()](const ScalarCall& call) {
                       std::vector<arrow::Datum> args = call.args;
                       if (!has_origin) args.emplace_back(int64_t{0});
                       return Map<MonthDayNanos, int64_t, int64_t>({args, call.num_rows, call.context},
                                                                   arrow_type, bin);
                     },
                     true};
}

}  // namespace

void RegisterTruncation(FunctionRegistry& registry) {
  const char* kGroup = "Date and time";
  registry.Add(
      ScalarFunction{{"date_trunc", "datetrunc"},
                     {kGroup, "date_trunc(unit, x) → the type of x",
                      "The start of the unit that holds x: second to century; week starts on Monday.",
                      "date_trunc('month', TIMESTAMP '2024-02-29 10:00:00')", "\"2024-02-01T00:00:00\""},
                     Volatility::kImmutable,
                     {UnitBinder(FloorToUnit, 0)}});
  registry.Add(ScalarFunction{{"floor_to"},
                              {kGroup, "FLOOR(x TO unit) → the type of x", "date_trunc in SQL's spelling.",
                               "FLOOR(TIMESTAMP '2024-02-29 10:20:30' TO HOUR)", "\"2024-02-29T10:00:00\""},
                              Volatility::kImmutable,
                              {UnitBinder(FloorToUnit, 1)}});
  registry.Add(ScalarFunction{
      {"ceil_to"},
      {kGroup, "CEIL(x TO unit) → the type of x", "The start of the next unit, or x where it is a start.",
       "CEIL(TIMESTAMP '2024-02-29 10:20:30' TO HOUR)", "\"2024-02-29T11:00:00\""},
      Volatility::kImmutable,
      {UnitBinder(CeilToUnit, 1)}});
  registry.Add(ScalarFunction{
      {"date_bin"},
      {kGroup, "date_bin(width, x[, origin]) → TIMESTAMP",
       "The start of the bin that holds x; bins of the given width are counted from the origin (1970-01-01).",
       "date_bin(INTERVAL '15 minutes', TIMESTAMP '2024-02-29 10:20:30')", "\"2024-02-29T10:15:00\""},
      Volatility::kImmutable,
      {BindDateBin}});
}

}  // namespace laminar
