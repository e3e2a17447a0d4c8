/// TIMESTAMPADD, TIMESTAMPDIFF, DATEDIFF, DATE_ADD, DATE_SUB, LAST_DAY, AGE, MAKE_DATE, MAKE_TIMESTAMP.

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "base/error.h"
#include "functions/core/arithmetic.h"
#include "functions/datetime/calendar.h"
#include "functions/datetime/register_datetime.h"
#include "functions/datetime/time_unit.h"
#include "functions/elementwise.h"
#include "functions/overload.h"

namespace laminar {

namespace {

/// (unit, n, x): the unit is constant.
std::optional<BoundScalar> BindTimestampAdd(const BindArguments& arguments) {
  if (arguments.size() != 3 || !ImplicitlyCastable(arguments.types[1], Type::Int64())) return std::nullopt;
  auto type = MomentType(arguments.types[2]);
  if (!type) return std::nullopt;
  const auto unit = ConstantUnit(arguments, 0);
  if (!unit) return std::nullopt;
  const bool date = type->id() == TypeId::kDate && (UnitNanos(*unit) == 0 || UnitNanos(*unit) >= kDayNs);
  if (type->id() == TypeId::kDate && !date) type = Type::Timestamp();
  auto fail = [](int64_t count, BatchError& error) {
    error.Fail([&] { return fmt::format("timestampadd of {} units is out of range", count); });
  };
  ScalarKernel kernel;
  if (date) {
    kernel = [unit = *unit, fail](const ScalarCall& call) {
      const std::vector<arrow::Datum> args = {call.args[1], call.args[2]};
      return Map<int64_t, int32_t>({args, call.num_rows, call.context}, arrow::date32(),
                                   [&](int64_t count, int32_t days, BatchError& error) -> int32_t {
                                     const auto out = AddUnits(int64_t{days} * 86'400, 1, unit, count);
                                     const int64_t day = out ? FloorDivide(*out, 86'400) : 0;
                                     if (!out || !std::in_range<int32_t>(day)) fail(count, error);
                                     return static_cast<int32_t>(day);
                                   });
    };
  } else {
    kernel = [unit = *unit, per_second = TicksPerSecond(*type), arrow_type = type->arrow_type(),
              fail](const ScalarCall& call) {
      const std::vector<arrow::Datum> args = {call.args[1], call.args[2]};
      return Map<int64_t, int64_t>({args, call.num_rows, call.context}, arrow_type,
                                   [&](int64_t count, int64_t ticks, BatchError& error) {
                                     const auto out = AddUnits(ticks, per_second, unit, count);
                                     if (!out) fail(count, error);
                                     return out.value_or(0);
                                   });
    };
  }
  return BoundScalar{{Type::Text(), Type::Int64(), *type}, *type, std::move(kernel), true};
}

/// TIMESTAMP in µs unless a side is in ns.
std::optional<Type> CommonMoment(const Type& a, const Type& b) {
  const auto x = MomentType(a);
  const auto y = MomentType(b);
  if (!x || !y) return std::nullopt;
  const bool nanos = x->precision() == 9 || y->precision() == 9;
  return nanos ? Type::Timestamp(9) : Type::Timestamp();
}

/// (unit, a, b) → whole units from a to b.
std::optional<BoundScalar> BindTimestampDiff(const BindArguments& arguments) {
  if (arguments.size() != 3) return std::nullopt;
  const auto type = CommonMoment(arguments.types[1], arguments.types[2]);
  if (!type) return std::nullopt;
  const auto unit = ConstantUnit(arguments, 0);
  if (!unit) return std::nullopt;
  auto kernel = [unit = *unit, per_second = TicksPerSecond(*type)](const ScalarCall& call) {
    const std::vector<arrow::Datum> args = {call.args[1], call.args[2]};
    return Map<int64_t, int64_t>({args, call.num_rows, call.context}, arrow::int64(),
                                 [&](int64_t a, int64_t b) { return UnitsBetween(a, b, per_second, unit); });
  };
  return BoundScalar{{Type::Text(), *type, *type}, Type::Int64(), kernel};
}

/// (end, start) → days between their dates.
std::optional<BoundScalar> BindDayDifference(const BindArguments& arguments) {
  if (arguments.size() != 2 || !MomentType(arguments.types[0]) || !MomentType(arguments.types[1]))
    return std::nullopt;
  return BoundScalar{{Type::Date(), Type::Date()}, Type::Int64(), [](const ScalarCall& call) {
                       return Map<int32_t, int32_t>(call, arrow::int64(),
                                                    [](int32_t a, int32_t b) { return int64_t{a} - b; });
                     }};
}

/// x ± interval, or ± whole days.
ScalarBinder BindShift(Arithmetic operation) {
  return [operation](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 2 || !MomentType(arguments.types[0])) return std::nullopt;
    if (arguments.types[1].id() == TypeId::kInterval) return BindTemporalArithmetic(operation, arguments);
    if (!ImplicitlyCastable(arguments.types[1], Type::Int64())) return std::nullopt;
    if (arguments.types[0].id() == TypeId::kDate) {
      return BindTemporalArithmetic(operation, {{Type::Date(), Type::Int64()}, arguments.constants});
    }
    const Type type = *MomentType(arguments.types[0]);
    auto kernel = [type, minus = operation == Arithmetic::kSubtract,
                   per_second = TicksPerSecond(type)](const ScalarCall& call) {
      return Map<int64_t, int64_t>(
          call, type.arrow_type(), [&](int64_t ticks, int64_t days, BatchError& error) {
            const auto count = minus ? CheckedMultiply(days, -1) : std::optional(days);
            const auto out = count ? AddUnits(ticks, per_second, TimeUnit::kDay, *count) : std::nullopt;
            if (!out)
              error.Fail([&] {
                return fmt::format("a moment {} {} days is out of range", minus ? "-" : "+", days);
              });
            return out.value_or(0);
          });
    };
    return BoundScalar{{type, Type::Int64()}, type, kernel, true};
  };
}

std::optional<BoundScalar> BindLastDay(const BindArguments& arguments) {
  if (arguments.size() != 1 || !MomentType(arguments.types[0])) return std::nullopt;
  return BoundScalar{{Type::Date()}, Type::Date(), [](const ScalarCall& call) {
                       return Map<int32_t>(call, arrow::date32(), [](int32_t days) {
                         const CivilDate date = CivilFromDays(days);
                         return static_cast<int32_t>(days - date.day + DaysInMonth(date.year, date.month));
                       });
                     }};
}

/// Years, months, days and time from b to a, as a calendar counts them.
MonthDayNanos Age(int64_t a, int64_t b, int64_t per_second) {
  if (a < b) {
    const MonthDayNanos opposite = Age(b, a, per_second);
    return {-opposite.months, -opposite.days, -opposite.nanoseconds};
  }
  const int64_t months = UnitsBetween(b, a, per_second, TimeUnit::kMonth);
  const int64_t from = AddUnits(b, per_second, TimeUnit::kMonth, months).value_or(b);
  const MonthDayNanos rest = SubtractTimestamps(a, from, per_second).value_or(MonthDayNanos{0, 0, 0});
  return {static_cast<int32_t>(months), rest.days, rest.nanoseconds};
}

std::optional<BoundScalar> BindAge(const BindArguments& arguments) {
  if (arguments.size() != 2) return std::nullopt;
  const auto type = CommonMoment(arguments.types[0], arguments.types[1]);
  if (!type) return std::nullopt;
  return BoundScalar{
      {*type, *type}, Type::Interval(), [per_second = TicksPerSecond(*type)](const ScalarCall& call) {
        return Map<int64_t, int64_t>(call, Type::Interval().arrow_type(),
                                     [&](int64_t a, int64_t b) { return Age(a, b, per_second); });
      }};
}

std::optional<int64_t> CheckedDate(int64_t year, int64_t month, int64_t day, BatchError& error) {
  constexpr int64_t kYearMax = 200'000;
  if (year >= -kYearMax && year <= kYearMax && month >= 1 && month <= 12 && day >= 1 &&
      day <= DaysInMonth(year, static_cast<int>(month))) {
    return DaysFromCivil(year, static_cast<int>(month), static_cast<int>(day));
  }
  error.Fail([&] { return fmt::format("there is no date {}-{:02}-{:02}", year, month, day); });
  return std::nullopt;
}

arrow::Result<arrow::Datum> MakeDate(const ScalarCall& call) {
  return Map<int64_t, int64_t, int64_t>(
      call, arrow::date32(), [](int64_t year, int64_t month, int64_t day, BatchError& error) {
        return static_cast<int32_t>(CheckedDate(year, month, day, error).value_or(0));
      });
}

arrow::Result<arrow::Datum> MakeTimestamp(const ScalarCall& call) {
  return Map<int64_t, int64_t, int64_t, int64_t, int64_t, double>(
      call, Type::Timestamp().arrow_type(),
      [](int64_t year, int64_t month, int64_t day, int64_t hour, int64_t minute, double second,
         BatchError& error) -> int64_t {
        const auto days = CheckedDate(year, month, day, error);
        if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || !(second >= 0 && second < 60)) {
          error.Fail([&] { return fmt::format("there is no time {:02}:{:02}:{}", hour, minute, second); });
        }
        if (error.failed()) return 0;
        return ((*days * 24 + hour) * 60 + minute) * 60'000'000 + std::llround(second * 1e6);
      });
}

}  // namespace

void RegisterDateMath(FunctionRegistry& registry) {
  auto add = [&](std::vector<std::string> names, const char* signature, const char* description,
                 const char* example, const char* result, std::vector<ScalarBinder> overloads) {
    registry.Add(ScalarFunction{std::move(names),
                                {"Date and time", signature, description, example, result},
                                Volatility::kImmutable,
                                std::move(overloads)});
  };
  const Type bigint = Type::Int64();
  add({"timestampadd"}, "timestampadd(unit, n, x) → the type of x",
      "x plus n units. A day past the month's end becomes its last.",
      "timestampadd(MONTH, 1, TIMESTAMP '2024-01-31 10:00:00')", "\"2024-02-29T10:00:00\"",
      {BindTimestampAdd});
  add({"timestampdiff"}, "timestampdiff(unit, a, b) → bigint",
      "Complete units from a to b; negative when b is earlier.",
      "timestampdiff(DAY, DATE '2024-02-28', DATE '2024-03-01')", "2", {BindTimestampDiff});
  add({"date_diff", "datediff"}, "date_diff([unit,] a, b) → bigint",
      "With a unit: timestampdiff. Without: days from the date b to the date a.",
      "datediff(DATE '2024-03-01', DATE '2024-02-28')", "2", {BindDayDifference, BindTimestampDiff});
  add({"date_add", "dateadd"}, "date_add(x, interval or days) → the type of x",
      "x + interval, or + whole days. date_add(unit, n, x) is timestampadd.",
      "date_add(DATE '2024-02-28', 2)", "\"2024-03-01\"", {BindShift(Arithmetic::kAdd), BindTimestampAdd});
  add({"date_sub"}, "date_sub(x, interval or days) → the type of x", "x - interval, or - whole days.",
      "date_sub(TIMESTAMP '2024-03-01 00:00:00', INTERVAL '1 day')", "\"2024-02-29T00:00:00\"",
      {BindShift(Arithmetic::kSubtract)});
  add({"last_day"}, "last_day(x) → date", "The last day of x's month.", "last_day(DATE '2024-02-10')",
      "\"2024-02-29\"", {BindLastDay});
  add({"age"}, "age(a, b) → interval", "a - b as years, months, days and time, as a calendar counts them.",
      "age(DATE '2024-03-01', DATE '2023-01-31')", "\"P1Y1M1D\"", {BindAge});
  add({"make_date"}, "make_date(year, month, day) → date", "An error when there is no such date.",
      "make_date(2024, 2, 29)", "\"2024-02-29\"",
      {Fixed({bigint, bigint, bigint}, Type::Date(), MakeDate, CanFail::kYes)});
  add({"make_timestamp"}, "make_timestamp(year, month, day, hour, minute, second) → timestamp",
      "The second may have a fraction. An error when there is no such moment.",
      "make_timestamp(2024, 2, 29, 10, 20, 30.5)", "\"2024-02-29T10:20:30.500\"",
      {Fixed({bigint, bigint, bigint, bigint, bigint, Type::Double()}, Type::Timestamp(), MakeTimestamp,
             CanFail::kYes)});
}

}  // namespace laminar
