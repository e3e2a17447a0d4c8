/// Casts among DATE, TIME, TIMESTAMP and TIMESTAMPTZ, and TIMESTAMP ⇄ integers (nanoseconds, whatever the
/// unit inside).

#include <limits>

#include "functions/cast_kernel.h"
#include "functions/datetime/calendar.h"
#include "types/timestamp_text.h"

namespace laminar {

namespace {

constexpr int64_t kDayUs = 86'400'000'000;

bool IsNanos(const Type& type) { return type.precision() == 9; }
int PrecisionOf(const Type& type) { return type.id() == TypeId::kTimestampTz ? 6 : type.precision(); }

/// µs → ns. An error shows the moment.
ValueCast MicrosToNanos(const Type& to) {
  return {[to](const arrow::Datum& value, int64_t rows, bool try_cast) {
            const std::vector<arrow::Datum> args = {value};
            const EvalContext context;
            return Map<int64_t>(
                {args, rows, context}, to.arrow_type(), [&](int64_t micros, BatchError& error) {
                  const auto nanos = CheckedMultiply(micros, 1000);
                  if (!nanos && !try_cast)
                    error.Fail([&] { return CannotCast("'" + TimestampUsToText(micros, ' ') + "'", to); });
                  return nanos;
                });
          },
          true};
}

/// Between any two of TIMESTAMP(0…9) and TIMESTAMPTZ.
ValueCast TimestampToTimestamp(const Type& from, const Type& to) {
  if (IsNanos(from) == IsNanos(to)) {
    if (PrecisionOf(to) >= PrecisionOf(from)) return ReinterpretCast(to);
    return TotalCast<int64_t>(to,
                              [p = PrecisionOf(to)](int64_t micros) { return TruncateMicros(micros, p); });
  }
  if (IsNanos(from)) {
    return TotalCast<int64_t>(
        to, [p = PrecisionOf(to)](int64_t nanos) { return TruncateMicros(FloorDivide(nanos, 1000), p); });
  }
  return MicrosToNanos(to);
}

ValueCast DateTo(const Type& to) {
  if (!to.is_timestamp()) return {};
  const int64_t day = IsNanos(to) ? kDayNs : kDayUs;
  return FallibleCast<int32_t>(to, [day](int32_t days) { return CheckedMultiply(days, day); });
}

ValueCast TimestampTo(const Type& from, const Type& to) {
  const bool nanos = IsNanos(from);
  const int64_t day = nanos ? kDayNs : kDayUs;
  if (to.is_timestamp()) return TimestampToTimestamp(from, to);
  if (to.id() == TypeId::kDate) {
    return FallibleCast<int64_t>(to, [day](int64_t at) -> std::optional<int32_t> {
      const int64_t days = FloorDivide(at, day);
      if (!std::in_range<int32_t>(days)) return std::nullopt;
      return static_cast<int32_t>(days);
    });
  }
  if (to.id() == TypeId::kTime) {
    return TotalCast<int64_t>(
        to, [day, unit = nanos ? 1 : 1000](int64_t at) { return FloorModulo(at, day) * unit; });
  }
  if (to.is_integer()) {
    ValueCast to_bigint = nanos ? ReinterpretCast(Type::Int64()) : MicrosToNanos(Type::Int64());
    return to.id() == TypeId::kInt64 ? to_bigint : ChainCasts(to_bigint, FindCast(Type::Int64(), to));
  }
  return {};
}

ValueCast IntegerTo(const Type& from, const Type& to) {
  if (!to.is_timestamp()) return {};
  ValueCast from_bigint =
      IsNanos(to) ? ReinterpretCast(to) : TotalCast<int64_t>(to, [p = PrecisionOf(to)](int64_t nanos) {
        return TruncateMicros(FloorDivide(nanos, 1000), p);
      });
  return from.id() == TypeId::kInt64 ? from_bigint : ChainCasts(FindCast(from, Type::Int64()), from_bigint);
}

}  // namespace

int64_t TruncateMicros(int64_t micros, int precision) {
  const int64_t unit = precision == 0 ? 1'000'000 : precision == 3 ? 1'000 : 1;
  return unit == 1 ? micros : FloorDivide(micros, unit) * unit;
}

ValueCast FindTemporalCast(const Type& from, const Type& to) {
  if (from.id() == TypeId::kDate) return DateTo(to);
  if (from.is_timestamp()) return TimestampTo(from, to);
  if (from.is_integer()) return IntegerTo(from, to);
  if (from.id() == TypeId::kTime && to.id() == TypeId::kInterval) {
    return TotalCast<int64_t>(to, [](int64_t nanos) { return MonthDayNanos{0, 0, nanos}; });
  }
  return {};
}

}  // namespace laminar
