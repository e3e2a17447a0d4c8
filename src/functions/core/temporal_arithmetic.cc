/// Arithmetic with DATE, TIME, TIMESTAMP and INTERVAL.

#include <fmt/format.h>

#include <utility>

#include "functions/core/arithmetic.h"
#include "functions/datetime/calendar.h"
#include "functions/elementwise.h"
#include "functions/overload.h"

namespace laminar {

namespace {

bool IsMoment(const Type& type) { return type.is_timestamp() || type.id() == TypeId::kDate; }
bool IsInterval(const Type& type) { return type.id() == TypeId::kInterval; }

std::string Shown(const MonthDayNanos& interval) {
  return "INTERVAL '" + IsoIntervalToText({interval.months, interval.days, interval.nanoseconds}) + "'";
}
std::string ShownMoment(int64_t ticks, const Type& type) {
  if (type.id() == TypeId::kDate) return DateToText(ticks);
  return type.precision() == 9 ? TimestampNsToText(ticks, ' ') : TimestampUsToText(ticks, ' ');
}

/// The interval, or its opposite; ranges of its parts don't matter for the sum, so parts are negated one by
/// one.
MonthDayNanos Signed(const MonthDayNanos& interval, bool minus) {
  if (!minus) return interval;
  return NegateInterval(interval).value_or(MonthDayNanos{0, 0, 0});
}

ScalarKernel MomentPlusInterval(const Type& type, bool minus) {
  return [type, minus, per_second = TicksPerSecond(type)](const ScalarCall& call) {
    return Map<int64_t, MonthDayNanos>(
        call, type.arrow_type(), [&](int64_t at, const MonthDayNanos& interval, BatchError& error) {
          auto out = AddInterval(at, per_second, Signed(interval, minus));
          if (!out) {
            error.Fail([&] {
              return ShownMoment(at, type) + (minus ? " - " : " + ") + Shown(interval) + " is out of range";
            });
          }
          return out.value_or(0);
        });
  };
}

/// Only for intervals without time part.
ScalarKernel DatePlusInterval(bool minus) {
  return [minus](const ScalarCall& call) {
    return Map<int32_t, MonthDayNanos>(
        call, arrow::date32(), [&](int32_t date, const MonthDayNanos& by, BatchError& error) {
          const MonthDayNanos interval = Signed(by, minus);
          const int64_t days = AddMonths(date, interval.months) + interval.days;
          if (!std::in_range<int32_t>(days)) {
            error.Fail(
                [&] { return DateToText(date) + (minus ? " - " : " + ") + Shown(by) + " is out of range"; });
          }
          return static_cast<int32_t>(days);
        });
  };
}

ScalarKernel DatePlusDays(bool minus) {
  return [minus](const ScalarCall& call) {
    return Map<int32_t, int64_t>(
        call, arrow::date32(), [&](int32_t date, int64_t by, BatchError& error) -> int32_t {
          int64_t days = 0;
          const bool overflow = minus ? __builtin_sub_overflow(int64_t{date}, by, &days)
                                      : __builtin_add_overflow(int64_t{date}, by, &days);
          if (overflow || !std::in_range<int32_t>(days)) {
            error.Fail([&] {
              return fmt::format("{} {} {} days is out of range", DateToText(date), minus ? "-" : "+", by);
            });
            return 0;
          }
          return static_cast<int32_t>(days);
        });
  };
}

ScalarKernel TimePlusInterval(bool minus) {
  return [minus](const ScalarCall& call) {
    return Map<int64_t, MonthDayNanos>(call, Type::Time().arrow_type(),
                                       [minus](int64_t at, const MonthDayNanos& by) {
                                         const int64_t shift = FloorModulo(by.nanoseconds, kDayNs);
                                         return FloorModulo(minus ? at - shift : at + shift, kDayNs);
                                       });
  };
}

BoundScalar SubtractMoments(const Type& type) {
  return {{type, type},
          Type::Interval(),
          [per_second = TicksPerSecond(type)](const ScalarCall& call) {
            return Map<int64_t, int64_t>(call, Type::Interval().arrow_type(),
                                         [&](int64_t a, int64_t b, BatchError& error) {
                                           auto out = SubtractTimestamps(a, b, per_second);
                                           if (!out) error.Fail("a difference of timestamps is out of range");
                                           return out.value_or(MonthDayNanos{0, 0, 0});
                                         });
          },
          true};
}

BoundScalar SubtractDates() {
  return {{Type::Date(), Type::Date()},
          Type::Int32(),
          [](const ScalarCall& call) {
            return Map<int32_t, int32_t>(call, arrow::int32(),
                                         [](int32_t a, int32_t b, BatchError& error) -> int32_t {
                                           int32_t out = 0;
                                           if (__builtin_sub_overflow(a, b, &out))
                                             error.Fail("a difference of dates is out of range");
                                           return out;
                                         });
          },
          true};
}

BoundScalar SubtractTimes() {
  return {{Type::Time(), Type::Time()}, Type::Interval(), [](const ScalarCall& call) {
            return Map<int64_t, int64_t>(call, Type::Interval().arrow_type(),
                                         [](int64_t a, int64_t b) { return MonthDayNanos{0, 0, a - b}; });
          }};
}

BoundScalar CombineIntervals(bool minus) {
  return {{Type::Interval(), Type::Interval()},
          Type::Interval(),
          [minus](const ScalarCall& call) {
            return Map<MonthDayNanos, MonthDayNanos>(
                call, Type::Interval().arrow_type(),
                [&](const MonthDayNanos& a, const MonthDayNanos& b, BatchError& error) {
                  auto out = AddIntervals(a, Signed(b, minus));
                  if (!out)
                    error.Fail(
                        [&] { return Shown(a) + (minus ? " - " : " + ") + Shown(b) + " is out of range"; });
                  return out.value_or(a);
                });
          },
          true};
}

template <typename Number>
ScalarKernel ScaleInterval(bool divide) {
  return [divide](const ScalarCall& call) {
    return Map<MonthDayNanos, Number>(
        call, Type::Interval().arrow_type(), [&](const MonthDayNanos& a, Number by, BatchError& error) {
          std::optional<MonthDayNanos> out;
          if (divide) {
            if (by == 0) error.Fail([&] { return "division by zero: " + Shown(a) + " / 0"; });
            if (by != 0) out = MultiplyInterval(a, 1.0 / static_cast<double>(by));
          } else {
            out = MultiplyInterval(a, by);
          }
          if (!out)
            error.Fail(
                [&] { return Shown(a) + fmt::format(" {} {} is out of range", divide ? "/" : "*", by); });
          return out.value_or(a);
        });
  };
}

/// `interval_first`: false for 2 * INTERVAL.
BoundScalar BindScale(const Type& number, bool interval_first, bool divide) {
  const Type type = number.is_integer() && !divide ? Type::Int64() : Type::Double();
  ScalarKernel kernel = type.is_integer() ? ScaleInterval<int64_t>(divide) : ScaleInterval<double>(divide);
  if (interval_first) return {{Type::Interval(), type}, Type::Interval(), std::move(kernel), true};
  return {{type, Type::Interval()},
          Type::Interval(),
          [kernel](const ScalarCall& call) {
            const std::vector<arrow::Datum> args = {call.args[1], call.args[0]};
            return kernel({args, call.num_rows, call.context});
          },
          true};
}

/// Exchanges the arguments of a commutative operator.
BoundScalar Swapped(BoundScalar bound) {
  std::swap(bound.parameters[0], bound.parameters[1]);
  bound.kernel = [kernel = bound.kernel](const ScalarCall& call) {
    const std::vector<arrow::Datum> args = {call.args[1], call.args[0]};
    return kernel({args, call.num_rows, call.context});
  };
  return bound;
}

bool HasNoTimePart(const BindArguments& arguments, size_t index) {
  const auto& constant = arguments.constants[index];
  if (!constant || !constant->is_valid) return false;
  return static_cast<const arrow::MonthDayNanoIntervalScalar&>(*constant).value.nanoseconds == 0;
}

/// moment ± something; `moment` and `other` are argument indices.
std::optional<BoundScalar> BindShift(const BindArguments& arguments, size_t moment, size_t other,
                                     bool minus) {
  const Type& type = arguments.types[moment];
  const Type& by = arguments.types[other];
  if (IsInterval(by) || by.is_null()) {
    if (type.id() == TypeId::kTime)
      return BoundScalar{{type, Type::Interval()}, type, TimePlusInterval(minus)};
    if (type.id() == TypeId::kDate && !by.is_null() && HasNoTimePart(arguments, other)) {
      return BoundScalar{{type, by}, type, DatePlusInterval(minus), true};
    }
    const Type result = type.id() == TypeId::kDate          ? Type::Timestamp()
                        : type.id() == TypeId::kTimestampTz ? type
                                                            : Type::Timestamp(type.precision() == 9 ? 9 : 6);
    return BoundScalar{{result, Type::Interval()}, result, MomentPlusInterval(result, minus), true};
  }
  if (type.id() == TypeId::kDate && by.is_integer()) {
    return BoundScalar{{type, Type::Int64()}, type, DatePlusDays(minus), true};
  }
  return std::nullopt;
}

std::optional<BoundScalar> BindSubtract(const Type& a, const Type& b) {
  if (a.id() == TypeId::kDate && b.id() == TypeId::kDate) return SubtractDates();
  if (a.id() == TypeId::kTime && b.id() == TypeId::kTime) return SubtractTimes();
  if (!IsMoment(a) || !IsMoment(b)) return std::nullopt;
  Type common = CommonType(a, b).value_or(Type::Timestamp());
  if (common.id() == TypeId::kTimestamp && common.precision() < 6) common = Type::Timestamp();
  return SubtractMoments(common);
}

}  // namespace

std::optional<BoundScalar> BindTemporalArithmetic(Arithmetic operation, const BindArguments& arguments) {
  const Type& a = arguments.types[0];
  const Type& b = arguments.types[1];
  const bool a_shifts = a.is_temporal();
  const bool b_shifts = b.is_temporal();
  auto number = [](const Type& type) { return type.is_numeric() || type.is_null(); };
  switch (operation) {
    case Arithmetic::kAdd: {
      if (a_shifts && !b_shifts) return BindShift(arguments, 0, 1, false);
      if (b_shifts && !a_shifts) {
        auto bound = BindShift(arguments, 1, 0, false);
        return bound ? std::optional(Swapped(std::move(*bound))) : std::nullopt;
      }
      if ((IsInterval(a) && (IsInterval(b) || b.is_null())) || (a.is_null() && IsInterval(b)))
        return CombineIntervals(false);
      return std::nullopt;
    }
    case Arithmetic::kSubtract:
      if (a_shifts && b_shifts) return BindSubtract(a, b);
      if (a_shifts) return BindShift(arguments, 0, 1, true);
      if (IsInterval(a) && (IsInterval(b) || b.is_null())) return CombineIntervals(true);
      return std::nullopt;
    case Arithmetic::kMultiply:
      if (IsInterval(a) && number(b)) return BindScale(b, true, false);
      if (IsInterval(b) && number(a)) return BindScale(a, false, false);
      return std::nullopt;
    case Arithmetic::kDivide:
      if (IsInterval(a) && number(b)) return BindScale(b, true, true);
      return std::nullopt;
    case Arithmetic::kModulo:
      return std::nullopt;
  }
  return std::nullopt;
}

}  // namespace laminar
