/// ABS, SIGN, CEIL, FLOOR, ROUND, TRUNC. Integers stay as they are, DOUBLE stays DOUBLE, DECIMAL gets the
/// scale asked for.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "functions/cast_kernel.h"
#include "functions/core/arithmetic.h"
#include "functions/elementwise.h"
#include "functions/math/register_math.h"
#include "functions/overload.h"

namespace laminar {

namespace {

using arrow::Decimal128;

Type AsInteger(const Type& type) { return type.id() == TypeId::kUInt64 ? type : Type::Int64(); }

arrow::Result<arrow::Datum> Unchanged(const ScalarCall& call) { return call.args[0]; }

/// DOUBLE (and FLOAT) in, DOUBLE out.
ScalarBinder RealOverload(double (*f)(double)) {
  return [f](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 1 || !arguments.types[0].is_floating()) return std::nullopt;
    return BoundScalar{{Type::Double()}, Type::Double(), [f](const ScalarCall& call) {
                         return MapTotal<double>(call, arrow::float64(), f);
                       }};
  };
}

std::optional<BoundScalar> BindIntegerUnchanged(const BindArguments& arguments) {
  if (arguments.size() != 1 || !(arguments.types[0].is_integer() || arguments.types[0].is_null()))
    return std::nullopt;
  const Type type = arguments.types[0].is_null() ? Type::Int64() : arguments.types[0];
  return BoundScalar{{type}, type, Unchanged};
}

// ---- ABS, SIGN ----

std::optional<BoundScalar> BindAbs(const BindArguments& arguments) {
  if (arguments.size() != 1) return std::nullopt;
  const Type& type = arguments.types[0];
  if (type.is_floating()) {
    return BoundScalar{{Type::Double()}, Type::Double(), [](const ScalarCall& call) {
                         return MapTotal<double>(call, arrow::float64(),
                                                 [](double x) { return std::fabs(x); });
                       }};
  }
  if (type.id() == TypeId::kDecimal) {
    return BoundScalar{{type}, type, [arrow_type = type.arrow_type()](const ScalarCall& call) {
                         return Map<Decimal128>(call, arrow_type, [](const Decimal128& x) {
                           return Decimal128(Decimal128::Abs(x));
                         });
                       }};
  }
  if (type.is_unsigned_integer()) return BoundScalar{{type}, type, Unchanged};
  if (!type.is_integer() && !type.is_null()) return std::nullopt;
  return BoundScalar{{Type::Int64()},
                     Type::Int64(),
                     [](const ScalarCall& call) {
                       return Map<int64_t>(call, arrow::int64(), [](int64_t x, BatchError& error) {
                         if (x == INT64_MIN) error.Fail("abs(-9223372036854775808) overflows BIGINT");
                         return x < 0 && x != INT64_MIN ? -x : x;
                       });
                     },
                     true};
}

std::optional<BoundScalar> BindSign(const BindArguments& arguments) {
  if (arguments.size() != 1) return std::nullopt;
  const Type& type = arguments.types[0];
  if (type.is_floating()) {
    return RealOverload([](double x) { return std::isnan(x) ? x : static_cast<double>((x > 0) - (x < 0)); })(
        arguments);
  }
  if (type.id() == TypeId::kDecimal) {
    return BoundScalar{{type}, Type::Int64(), [](const ScalarCall& call) {
                         return Map<Decimal128>(call, arrow::int64(), [](const Decimal128& x) -> int64_t {
                           return x == Decimal128(0) ? 0 : x.Sign();
                         });
                       }};
  }
  if (!type.is_integer() && !type.is_null()) return std::nullopt;
  const Type to = AsInteger(type);
  return BoundScalar{
      {to}, Type::Int64(), [unsigned_one = to.id() == TypeId::kUInt64](const ScalarCall& call) {
        if (unsigned_one)
          return Map<uint64_t>(call, arrow::int64(), [](uint64_t x) -> int64_t { return x > 0; });
        return Map<int64_t>(call, arrow::int64(), [](int64_t x) -> int64_t { return (x > 0) - (x < 0); });
      }};
}

// ---- to a number of digits ----

enum class Rounding { kNearest, kTowardsZero, kUp, kDown };

/// x brought to `digits` after the point (negative: before it).
double RoundReal(double x, int64_t digits, Rounding rounding) {
  if (!std::isfinite(x)) return x;
  auto whole = [rounding](double v) {
    switch (rounding) {
      case Rounding::kNearest:
        return std::round(v);
      case Rounding::kTowardsZero:
        return std::trunc(v);
      case Rounding::kUp:
        return std::ceil(v);
      default:
        return std::floor(v);
    }
  };
  if (digits == 0) return whole(x);
  if (digits > 300) return x;
  if (digits < -308) return 0;
  // Powers up to 1e22 are exact: dividing by one is better than multiplying by its inverse.
  const double power = std::pow(10.0, static_cast<double>(std::abs(digits)));
  const double out = digits > 0 ? whole(x * power) / power : whole(x / power) * power;
  return std::isfinite(out) ? out : x;
}

int64_t RoundInteger(int64_t x, int64_t digits, bool nearest, BatchError& error) {
  if (digits >= 0) return x;
  if (digits < -18) return 0;
  int64_t power = 1;
  for (int64_t i = digits; i < 0; ++i) power *= 10;
  const int64_t rest = x % power;
  int64_t out = x - rest;
  if (!nearest || std::abs(rest) < power - std::abs(rest)) return out;
  if (__builtin_add_overflow(out, x < 0 ? -power : power, &out)) {
    error.Fail([&] { return fmt::format("round({}, {}) overflows BIGINT", x, digits); });
  }
  return out;
}

/// A decimal cut to `digits` after the point, at scale max(digits, 0).
Decimal128 RoundDecimal(const Decimal128& x, int scale, int digits, Rounding rounding) {
  if (digits >= scale) return x;
  const int drop = scale - digits;
  if (drop > 38) return Decimal128(0);
  Decimal128 out = Decimal128(x.ReduceScaleBy(drop, rounding == Rounding::kNearest));
  if (rounding == Rounding::kUp || rounding == Rounding::kDown) {
    const Decimal128 back = Decimal128(out.IncreaseScaleBy(drop));
    if (rounding == Rounding::kUp && back < x) out += Decimal128(1);
    if (rounding == Rounding::kDown && x < back) out -= Decimal128(1);
  }
  return digits < 0 ? Decimal128(out.IncreaseScaleBy(-digits)) : out;
}

BoundScalar BindDecimalRounding(const Type& type, int digits, Rounding rounding) {
  const int scale = std::clamp(digits, 0, type.scale());
  const Type result = BoundedDecimal(
      std::max(type.precision() - type.scale() + scale + (digits < type.scale() ? 1 : 0), 1), scale);
  auto kernel = [=, from = type.scale()](const ScalarCall& call) {
    return Map<Decimal128>(call, result.arrow_type(), [&](const Decimal128& x, BatchError& error) {
      const Decimal128 out = RoundDecimal(x, from, digits, rounding);
      if (!out.FitsInPrecision(result.precision())) {
        error.Fail([&] { return "rounding " + x.ToString(from) + " overflows " + result.ToString(); });
      }
      return out;
    });
  };
  return {{type}, result, kernel, true};
}

ScalarBinder DecimalToWhole(Rounding rounding) {
  return [rounding](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 1 || arguments.types[0].id() != TypeId::kDecimal) return std::nullopt;
    return BindDecimalRounding(arguments.types[0], 0, rounding);
  };
}

/// ROUND(x, n) and TRUNC(x, n). A DECIMAL's n must be constant: the result type depends on it.
ScalarBinder ToDigits(Rounding rounding) {
  return [rounding](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 2 || !ImplicitlyCastable(arguments.types[1], Type::Int64())) return std::nullopt;
    const Type& type = arguments.types[0];
    if (type.id() == TypeId::kDecimal) {
      const auto digits = ConstantInteger(arguments, 1);
      if (!digits) return std::nullopt;
      BoundScalar bound =
          BindDecimalRounding(type, static_cast<int>(std::clamp<int64_t>(*digits, -39, 39)), rounding);
      bound.parameters.push_back(Type::Int64());
      bound.kernel = [kernel = bound.kernel](const ScalarCall& call) {
        const std::vector<arrow::Datum> args = {call.args[0]};
        return kernel({args, call.num_rows, call.context});
      };
      return bound;
    }
    if (type.is_floating()) {
      return BoundScalar{{Type::Double(), Type::Int64()}, Type::Double(), [rounding](const ScalarCall& call) {
                           return Map<double, int64_t>(call, arrow::float64(),
                                                       [rounding](double x, int64_t digits) {
                                                         return RoundReal(x, digits, rounding);
                                                       });
                         }};
    }
    if (!type.is_integer() && !type.is_null()) return std::nullopt;
    return BoundScalar{{Type::Int64(), Type::Int64()},
                       Type::Int64(),
                       [nearest = rounding == Rounding::kNearest](const ScalarCall& call) {
                         return Map<int64_t, int64_t>(
                             call, arrow::int64(), [nearest](int64_t x, int64_t digits, BatchError& error) {
                               return RoundInteger(x, digits, nearest, error);
                             });
                       },
                       true};
  };
}

}  // namespace

void RegisterRounding(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      {"abs"},
      {"Math", "abs(x) → the type of x (integers: BIGINT)", "The magnitude.", "abs(-3.5)", "3.5"},
      Volatility::kImmutable,
      {BindAbs}});
  registry.Add(ScalarFunction{
      {"sign", "signum"},
      {"Math", "sign(x) → -1, 0 or 1", "BIGINT; DOUBLE for a DOUBLE, NaN for NaN.", "sign(-5)", "-1"},
      Volatility::kImmutable,
      {BindSign}});
  registry.Add(ScalarFunction{
      {"ceil", "ceiling"},
      {"Math", "ceil(x) → the type of x", "The smallest whole number that is not less.", "ceil(1.2)", "2.0"},
      Volatility::kImmutable,
      {BindIntegerUnchanged, DecimalToWhole(Rounding::kUp), RealOverload(std::ceil)}});
  registry.Add(
      ScalarFunction{{"floor"},
                     {"Math", "floor(x) → the type of x", "The greatest whole number that is not greater.",
                      "floor(-1.2)", "-2.0"},
                     Volatility::kImmutable,
                     {BindIntegerUnchanged, DecimalToWhole(Rounding::kDown), RealOverload(std::floor)}});
  registry.Add(
      ScalarFunction{{"round"},
                     {"Math", "round(x[, digits]) → the type of x",
                      "To the given digits after the point (0; negative: before it), halves away from zero.",
                      "round(2.345, 2)", "2.35"},
                     Volatility::kImmutable,
                     {BindIntegerUnchanged, DecimalToWhole(Rounding::kNearest), RealOverload(std::round),
                      ToDigits(Rounding::kNearest)}});
  registry.Add(ScalarFunction{{"trunc", "truncate"},
                              {"Math", "trunc(x[, digits]) → the type of x",
                               "Digits after the given one are cut off.", "trunc(-2.789, 1)", "-2.7"},
                              Volatility::kImmutable,
                              {BindIntegerUnchanged, DecimalToWhole(Rounding::kTowardsZero),
                               RealOverload(std::trunc), ToDigits(Rounding::kTowardsZero)}});
}

}  // namespace laminar
