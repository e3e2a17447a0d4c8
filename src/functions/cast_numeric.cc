/// Casts between BOOLEAN and numbers. In two steps, so that there are 2 × 11 loops and not 11 × 11: every
/// number is first widened to BIGINT, BIGINT UNSIGNED, DOUBLE or DECIMAL, then narrowed with a check.

#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "functions/cast_kernel.h"

namespace laminar {

namespace {

using arrow::Decimal128;

Type WideType(const Type& type) {
  if (type.id() == TypeId::kUInt64) return Type::UInt64();
  if (type.is_integer() || type.id() == TypeId::kBoolean) return Type::Int64();
  if (type.is_floating()) return Type::Double();
  return type;
}

template <typename From, typename To>
ValueCast WidenValues(const Type& to) {
  return TotalCast<From>(to, [](From value) { return static_cast<To>(value); });
}

ValueCast Widen(const Type& from) {
  switch (from.id()) {
    case TypeId::kBoolean:
      return WidenValues<bool, int64_t>(Type::Int64());
    case TypeId::kInt8:
      return WidenValues<int8_t, int64_t>(Type::Int64());
    case TypeId::kInt16:
      return WidenValues<int16_t, int64_t>(Type::Int64());
    case TypeId::kInt32:
      return WidenValues<int32_t, int64_t>(Type::Int64());
    case TypeId::kUInt8:
      return WidenValues<uint8_t, int64_t>(Type::Int64());
    case TypeId::kUInt16:
      return WidenValues<uint16_t, int64_t>(Type::Int64());
    case TypeId::kUInt32:
      return WidenValues<uint32_t, int64_t>(Type::Int64());
    case TypeId::kFloat:
      return WidenValues<float, double>(Type::Double());
    default:
      return {};
  }
}

template <typename From, typename To>
ValueCast NarrowInteger(const Type& to) {
  return FallibleCast<From>(to, [](From value) -> std::optional<To> {
    if (!std::in_range<To>(value)) return std::nullopt;
    return static_cast<To>(value);
  });
}

/// Cuts the fraction off. The bounds are powers of two, so they are exact as doubles.
template <typename To>
ValueCast NarrowReal(const Type& to) {
  return FallibleCast<double>(to, [](double value) -> std::optional<To> {
    constexpr double kLow = std::is_signed_v<To> ? static_cast<double>(std::numeric_limits<To>::min()) : 0.0;
    const double kEnd = std::ldexp(1.0, std::numeric_limits<To>::digits);
    const double whole = std::trunc(value);
    if (!(whole >= kLow && whole < kEnd)) return std::nullopt;
    return static_cast<To>(whole);
  });
}

template <typename To>
ValueCast NarrowTo(const Type& wide, const Type& to) {
  if (wide == to) return {};
  if (wide.id() == TypeId::kInt64) return NarrowInteger<int64_t, To>(to);
  if (wide.id() == TypeId::kUInt64) return NarrowInteger<uint64_t, To>(to);
  return NarrowReal<To>(to);
}

ValueCast ToBoolean(const Type& wide) {
  switch (wide.id()) {
    case TypeId::kInt64:
      return TotalCast<int64_t>(Type::Boolean(), [](int64_t v) { return v != 0; });
    case TypeId::kUInt64:
      return TotalCast<uint64_t>(Type::Boolean(), [](uint64_t v) { return v != 0; });
    default:
      return TotalCast<double>(Type::Boolean(), [](double v) { return v != 0; });
  }
}

ValueCast ToDouble(const Type& wide) {
  switch (wide.id()) {
    case TypeId::kInt64:
      return WidenValues<int64_t, double>(Type::Double());
    case TypeId::kUInt64:
      return WidenValues<uint64_t, double>(Type::Double());
    default:
      return {};
  }
}

/// A finite DOUBLE past FLOAT's range is an error, not Infinity.
ValueCast DoubleToFloat() {
  return FallibleCast<double>(Type::Float(), [](double value) -> std::optional<float> {
    const float narrow = static_cast<float>(value);
    if (std::isinf(narrow) && !std::isinf(value)) return std::nullopt;
    return narrow;
  });
}

ValueCast ToFloat(const Type& wide) {
  switch (wide.id()) {
    case TypeId::kInt64:
      return WidenValues<int64_t, float>(Type::Float());
    case TypeId::kUInt64:
      return WidenValues<uint64_t, float>(Type::Float());
    default:
      return DoubleToFloat();
  }
}

ValueCast ToDecimal(const Type& wide, const Type& to) {
  const int precision = to.precision();
  const int scale = to.scale();
  switch (wide.id()) {
    case TypeId::kInt64:
      return FallibleCast<int64_t>(
          to, [=](int64_t v) { return RescaleDecimal(Decimal128(v), 0, precision, scale); });
    case TypeId::kUInt64:
      return FallibleCast<uint64_t>(
          to, [=](uint64_t v) { return RescaleDecimal(Decimal128(0, v), 0, precision, scale); });
    default:
      return FallibleCast<double>(to, [=](double v) { return DoubleToDecimal(v, precision, scale); });
  }
}

ValueCast Narrow(const Type& wide, const Type& to) {
  switch (to.id()) {
    case TypeId::kBoolean:
      return ToBoolean(wide);
    case TypeId::kInt8:
      return NarrowTo<int8_t>(wide, to);
    case TypeId::kInt16:
      return NarrowTo<int16_t>(wide, to);
    case TypeId::kInt32:
      return NarrowTo<int32_t>(wide, to);
    case TypeId::kInt64:
      return NarrowTo<int64_t>(wide, to);
    case TypeId::kUInt8:
      return NarrowTo<uint8_t>(wide, to);
    case TypeId::kUInt16:
      return NarrowTo<uint16_t>(wide, to);
    case TypeId::kUInt32:
      return NarrowTo<uint32_t>(wide, to);
    case TypeId::kUInt64:
      return NarrowTo<uint64_t>(wide, to);
    case TypeId::kFloat:
      return ToFloat(wide);
    case TypeId::kDouble:
      return ToDouble(wide);
    case TypeId::kDecimal:
      return ToDecimal(wide, to);
    default:
      return {};
  }
}

/// The whole part of a decimal when it fits BIGINT.
std::optional<int64_t> WholeOf(const Decimal128& value, int scale) {
  const Decimal128 whole = scale > 0 ? Decimal128(value.ReduceScaleBy(scale, /*round=*/false)) : value;
  auto out = whole.ToInteger<int64_t>();
  if (!out.ok()) return std::nullopt;
  return *out;
}

ValueCast DecimalTo(const Type& from, const Type& to) {
  const int scale = from.scale();
  if (to.id() == TypeId::kDecimal) {
    return FallibleCast<Decimal128>(
        to, [=, precision = to.precision(), new_scale = to.scale()](const Decimal128& value) {
          return RescaleDecimal(value, scale, precision, new_scale);
        });
  }
  if (to.is_floating()) {
    auto to_double = TotalCast<Decimal128>(
        Type::Double(), [scale](const Decimal128& value) { return DecimalToDouble(value, scale); });
    return to.id() == TypeId::kDouble ? to_double : ChainCasts(to_double, DoubleToFloat());
  }
  if (to.id() == TypeId::kUInt64) {
    return FallibleCast<Decimal128>(to, [scale](const Decimal128& value) -> std::optional<uint64_t> {
      const Decimal128 whole = scale > 0 ? Decimal128(value.ReduceScaleBy(scale, false)) : value;
      if (whole.high_bits() != 0) return std::nullopt;
      return whole.low_bits();
    });
  }
  auto to_int64 = FallibleCast<Decimal128>(
      Type::Int64(), [scale](const Decimal128& value) { return WholeOf(value, scale); });
  if (to.id() == TypeId::kInt64) return to_int64;
  return ChainCasts(to_int64, Narrow(Type::Int64(), to));
}

bool FitsWidening(const Type& from, const Type& to) {
  auto common = CommonType(from, to);
  return common && *common == to;
}

}  // namespace

std::optional<Decimal128> RescaleDecimal(const Decimal128& value, int from_scale, int precision, int scale) {
  Decimal128 out = value;
  if (scale < from_scale) {
    out = value.ReduceScaleBy(from_scale - scale, /*round=*/true);
  } else if (scale > from_scale) {
    auto rescaled = value.Rescale(from_scale, scale);
    if (!rescaled.ok()) return std::nullopt;
    out = *rescaled;
  }
  if (!out.FitsInPrecision(precision)) return std::nullopt;
  return out;
}

double DecimalToDouble(const Decimal128& value, int scale) {
  // Both are exact and so is the quotient but for one rounding. (Arrow multiplies by a power that is not.)
  constexpr int64_t kExact = int64_t{1} << 53;
  constexpr int kExactPowers = 22;
  static const std::array<double, kExactPowers + 1> kPowers = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                               1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                                               1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (scale >= 0 && scale <= kExactPowers && value <= Decimal128(kExact) && value >= Decimal128(-kExact))
    return static_cast<double>(static_cast<int64_t>(value.low_bits())) / kPowers[static_cast<size_t>(scale)];
  const std::string text = value.ToString(scale);
  double out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

std::optional<Decimal128> DoubleToDecimal(double value, int precision, int scale) {
  if (!std::isfinite(value)) return std::nullopt;
  if (std::abs(value) < std::pow(10, -scale - 2)) return Decimal128(0);
  char text[32];
  const auto end = std::to_chars(text, text + sizeof(text), value).ptr;
  return ParseDecimal(std::string_view(text, static_cast<size_t>(end - text)), precision, scale);
}

ValueCast FindNumericCast(const Type& from, const Type& to) {
  auto takes = [](const Type& type) { return type.is_numeric() || type.id() == TypeId::kBoolean; };
  if (!takes(from) || !takes(to)) return {};
  ValueCast cast;
  if (from.id() == TypeId::kDecimal) {
    cast = DecimalTo(from, to);
  } else {
    const Type wide = WideType(from);
    ValueCast narrow = Narrow(wide, to);
    ValueCast widen = Widen(from);
    cast = widen && narrow ? ChainCasts(std::move(widen), std::move(narrow))
           : widen         ? std::move(widen)
                           : std::move(narrow);
  }
  if (cast && FitsWidening(from, to) && to.id() != TypeId::kDecimal && to.id() != TypeId::kInt64)
    cast.can_fail = false;
  return cast;
}

}  // namespace laminar
