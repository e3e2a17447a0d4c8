/// EXTRACT / DATE_PART, and the functions named after a part.

#include <string>

#include "base/error.h"
#include "functions/datetime/calendar.h"
#include "functions/datetime/register_datetime.h"
#include "functions/datetime/time_unit.h"
#include "functions/elementwise.h"
#include "functions/overload.h"

namespace laminar {

namespace {

enum class Part {
  kYear,
  kIsoYear,
  kQuarter,
  kMonth,
  kWeek,
  kDay,
  kDayOfWeek,
  kIsoDayOfWeek,
  kDayOfYear,
  kHour,
  kMinute,
  kSecond,
  kWholeSecond,
  kMillisecond,
  kMicrosecond,
  kNanosecond,
  kEpoch,
  kDecade,
  kCentury,
};

struct PartName {
  std::string_view name;
  Part part;
};
constexpr PartName kParts[] = {
    {"year", Part::kYear},
    {"isoyear", Part::kIsoYear},
    {"quarter", Part::kQuarter},
    {"month", Part::kMonth},
    {"week", Part::kWeek},
    {"isoweek", Part::kWeek},
    {"day", Part::kDay},
    {"dow", Part::kDayOfWeek},
    {"dayofweek", Part::kDayOfWeek},
    {"isodow", Part::kIsoDayOfWeek},
    {"doy", Part::kDayOfYear},
    {"dayofyear", Part::kDayOfYear},
    {"dayofmonth", Part::kDay},
    {"hour", Part::kHour},
    {"minute", Part::kMinute},
    {"second", Part::kSecond},
    {"millisecond", Part::kMillisecond},
    {"microsecond", Part::kMicrosecond},
    {"nanosecond", Part::kNanosecond},
    {"epoch", Part::kEpoch},
    {"decade", Part::kDecade},
    {"century", Part::kCentury},
};

std::optional<Part> ParsePart(std::string_view name) {
  for (const PartName& entry : kParts) {
    if (EqualsIgnoreCase(entry.name, name)) return entry.part;
  }
  if (name.size() > 1 && (name.back() == 's' || name.back() == 'S'))
    return ParsePart(name.substr(0, name.size() - 1));
  return std::nullopt;
}

bool IsReal(Part part) { return part == Part::kEpoch || part == Part::kSecond; }

/// ISO week of the day, and the year that the week belongs to.
struct IsoWeek {
  int64_t year;
  int64_t week;
};
IsoWeek IsoWeekOf(int64_t days) {
  const int64_t thursday = MondayOf(days) + 3;
  const int64_t year = CivilFromDays(thursday).year;
  return {year, (thursday - DaysFromCivil(year, 1, 1)) / 7 + 1};
}

int64_t DatePart(Part part, int64_t days) {
  const CivilDate date = CivilFromDays(days);
  switch (part) {
    case Part::kYear:
      return date.year;
    case Part::kIsoYear:
      return IsoWeekOf(days).year;
    case Part::kQuarter:
      return (date.month + 2) / 3;
    case Part::kMonth:
      return date.month;
    case Part::kWeek:
      return IsoWeekOf(days).week;
    case Part::kDay:
      return date.day;
    case Part::kDayOfWeek:
      return FloorModulo(days + 4, 7);
    case Part::kIsoDayOfWeek:
      return FloorModulo(days + 3, 7) + 1;
    case Part::kDayOfYear:
      return days - DaysFromCivil(date.year, 1, 1) + 1;
    case Part::kDecade:
      return FloorDivide(date.year, 10);
    case Part::kCentury:
      return date.year > 0 ? (date.year + 99) / 100 : -((-date.year) / 100) - 1;
    default:
      return 0;
  }
}

/// Of the time since midnight.
int64_t ClockPart(Part part, int64_t nanos) {
  switch (part) {
    case Part::kHour:
      return nanos / (3600 * kSecondNs);
    case Part::kMinute:
      return nanos / (60 * kSecondNs) % 60;
    case Part::kWholeSecond:
      return nanos / kSecondNs % 60;
    case Part::kMillisecond:
      return nanos % (60 * kSecondNs) / 1'000'000;
    case Part::kMicrosecond:
      return nanos % (60 * kSecondNs) / 1'000;
    case Part::kNanosecond:
      return nanos % (60 * kSecondNs);
    default:
      return 0;
  }
}

bool IsClockPart(Part part) { return part >= Part::kHour && part <= Part::kNanosecond; }

/// A part of ticks; `ticks_per_day` 1 for DATE.
int64_t MomentPart(Part part, int64_t ticks, int64_t ticks_per_day) {
  if (!IsClockPart(part)) return DatePart(part, FloorDivide(ticks, ticks_per_day));
  return ClockPart(part, FloorModulo(ticks, ticks_per_day) * (kDayNs / ticks_per_day));
}

double MomentRealPart(Part part, int64_t ticks, int64_t ticks_per_day) {
  if (part == Part::kSecond) {
    const int64_t nanos = FloorModulo(ticks, ticks_per_day) * (kDayNs / ticks_per_day) % (60 * kSecondNs);
    return static_cast<double>(nanos) / 1e9;
  }
  if (ticks_per_day < 86'400)
    return static_cast<double>(ticks) * (86'400.0 / static_cast<double>(ticks_per_day));
  return static_cast<double>(ticks) / (static_cast<double>(ticks_per_day) / 86'400.0);
}

/// Months and days stay apart, as in PostgreSQL: INTERVAL '25 hours' has hour 25 and day 0.
int64_t IntervalPart(Part part, const MonthDayNanos& interval) {
  switch (part) {
    case Part::kYear:
      return interval.months / 12;
    case Part::kQuarter:
      return interval.months % 12 / 3 + 1;
    case Part::kMonth:
      return interval.months % 12;
    case Part::kWeek:
      return interval.days / 7;
    case Part::kDay:
      return interval.days;
    case Part::kDecade:
      return interval.months / 120;
    case Part::kCentury:
      return interval.months / 1200;
    default:
      return ClockPart(part, interval.nanoseconds);
  }
}

double IntervalRealPart(Part part, const MonthDayNanos& interval) {
  if (part == Part::kSecond) return static_cast<double>(interval.nanoseconds % (60 * kSecondNs)) / 1e9;
  const double days = interval.months / 12 * 365.25 + interval.months % 12 * 30 + interval.days;
  return days * 86'400 + static_cast<double>(interval.nanoseconds) / 1e9;
}

template <typename Memory, typename WholePart, typename RealPart>
ScalarKernel PartKernel(Part part, WholePart whole, RealPart real) {
  if (IsReal(part)) {
    return [part, real](const ScalarCall& call) {
      return Map<Memory>(call, arrow::float64(), [&](Memory value) { return real(part, value); });
    };
  }
  return [part, whole](const ScalarCall& call) {
    return Map<Memory>(call, arrow::int64(), [&](Memory value) { return whole(part, value); });
  };
}

template <typename Memory>
ScalarKernel MomentKernel(Part part, int64_t ticks_per_day) {
  return PartKernel<Memory>(
      part, [ticks_per_day](Part p, Memory value) { return MomentPart(p, value, ticks_per_day); },
      [ticks_per_day](Part p, Memory value) { return MomentRealPart(p, value, ticks_per_day); });
}

/// `type` is DATE, TIME, TIMESTAMP, TIMESTAMPTZ or INTERVAL; nullopt for others, or for a part that the type
/// has not.
std::optional<BoundScalar> BindPart(Part part, const Type& given) {
  const Type result = IsReal(part) ? Type::Double() : Type::Int64();
  if (given.id() == TypeId::kInterval) {
    if (part >= Part::kDayOfWeek && part <= Part::kDayOfYear) return std::nullopt;
    return BoundScalar{{given}, result, PartKernel<MonthDayNanos>(part, IntervalPart, IntervalRealPart)};
  }
  if (given.id() == TypeId::kTime) {
    if (!IsClockPart(part) && part != Part::kEpoch) return std::nullopt;
    return BoundScalar{{given}, result, MomentKernel<int64_t>(part, kDayNs)};
  }
  const auto type = MomentType(given);
  if (!type) return std::nullopt;
  if (type->id() == TypeId::kDate) return BoundScalar{{*type}, result, MomentKernel<int32_t>(part, 1)};
  return BoundScalar{{*type}, result, MomentKernel<int64_t>(part, 86'400 * TicksPerSecond(*type))};
}

std::optional<BoundScalar> BindDatePart(const BindArguments& arguments) {
  if (arguments.size() != 2) return std::nullopt;
  const auto name = ConstantText(arguments, 0);
  if (!name) return std::nullopt;
  const auto part = ParsePart(*name);
  if (!part) {
    throw UserError(Reason::kTypeError, {}, "'" + *name + "' is not a part of a date or time")
        .Hint(
            "parts: year, isoyear, quarter, month, week, day, dow, isodow, doy, hour, minute, second, "
            "millisecond, microsecond, "
            "nanosecond, epoch, decade, century");
  }
  auto bound = BindPart(*part, arguments.types[1]);
  if (!bound) return std::nullopt;
  bound->parameters.insert(bound->parameters.begin(), Type::Text());
  bound->kernel = [kernel = bound->kernel](const ScalarCall& call) {
    const std::vector<arrow::Datum> args = {call.args[1]};
    return kernel({args, call.num_rows, call.context});
  };
  return bound;
}

void AddPart(FunctionRegistry& registry, std::vector<std::string> names, Part part, const char* description,
             const char* example, const char* result) {
  ScalarFunction function;
  function.doc = {"Date and time", names[0] + "(x) → bigint", description, example, result};
  function.names = std::move(names);
  function.overloads = {[part](const BindArguments& arguments) -> std::optional<BoundScalar> {
    return arguments.size() == 1 ? BindPart(part, arguments.types[0]) : std::nullopt;
  }};
  registry.Add(std::move(function));
}

}  // namespace

void RegisterDateParts(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{{"date_part", "datepart", "extract"},
                              {"Date and time", "date_part(part, x) → bigint (epoch, second: double)",
                               "Also EXTRACT(part FROM x). x is a DATE, TIME, TIMESTAMP or INTERVAL; parts: "
                               "year isoyear quarter month week (ISO) day dow "
                               "(Sunday 0) isodow (Monday 1) doy hour minute second millisecond microsecond "
                               "nanosecond (of the minute) epoch decade "
                               "century.",
                               "date_part('month', TIMESTAMP '2024-02-29 10:00:00')", "2"},
                              Volatility::kImmutable,
                              {BindDatePart}});
  AddPart(registry, {"year"}, Part::kYear, "The year.", "year(DATE '2024-02-29')", "2024");
  AddPart(registry, {"quarter"}, Part::kQuarter, "The quarter, 1 to 4.", "quarter(DATE '2024-02-29')", "1");
  AddPart(registry, {"month"}, Part::kMonth, "The month, 1 to 12.", "month(DATE '2024-02-29')", "2");
  AddPart(registry, {"week", "weekofyear"}, Part::kWeek,
          "The ISO week, 1 to 53; week 1 holds the year's first Thursday.", "week(DATE '2021-01-03')", "53");
  AddPart(registry, {"dayofmonth", "day"}, Part::kDay, "The day of the month, 1 to 31.",
          "dayofmonth(DATE '2024-02-29')", "29");
  AddPart(registry, {"dayofweek"}, Part::kDayOfWeek, "The day of the week, Sunday 0 to Saturday 6.",
          "dayofweek(DATE '2024-02-29')", "4");
  AddPart(registry, {"dayofyear"}, Part::kDayOfYear, "The day of the year, 1 to 366.",
          "dayofyear(DATE '2024-02-29')", "60");
  AddPart(registry, {"hour"}, Part::kHour, "The hour, 0 to 23.", "hour(TIMESTAMP '2024-02-29 10:20:30')",
          "10");
  AddPart(registry, {"minute"}, Part::kMinute, "The minute, 0 to 59.",
          "minute(TIMESTAMP '2024-02-29 10:20:30')", "20");
  AddPart(registry, {"second"}, Part::kWholeSecond, "The second without its fraction, 0 to 59.",
          "second(TIMESTAMP '2024-02-29 10:20:30.9')", "30");
}

}  // namespace laminar
