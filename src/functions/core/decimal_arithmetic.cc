/// DECIMAL arithmetic. Result types follow SQL Server and Spark: addition keeps all digits, multiplication
/// adds the scales, division gives at least 6 digits after the point; past 38 digits the scale gives way.
/// Values are computed in 256 bits and rounded half away from zero once.

#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <algorithm>

#include "functions/core/arithmetic.h"
#include "functions/elementwise.h"

namespace laminar {

namespace {

using arrow::Decimal128;
using arrow::Decimal256;

Type ResultType(Arithmetic operation, const Type& a, const Type& b) {
  const int p1 = a.precision(), s1 = a.scale(), p2 = b.precision(), s2 = b.scale();
  switch (operation) {
    case Arithmetic::kMultiply:
      return BoundedDecimal(p1 + p2 + 1, s1 + s2);
    case Arithmetic::kDivide: {
      const int scale = std::max(6, s1 + p2 + 1);
      return BoundedDecimal(p1 - s1 + s2 + scale, scale);
    }
    case Arithmetic::kModulo:
      return BoundedDecimal(std::min(p1 - s1, p2 - s2) + std::max(s1, s2), std::max(s1, s2));
    default:
      return BoundedDecimal(std::max(p1 - s1, p2 - s2) + std::max(s1, s2) + 1, std::max(s1, s2));
  }
}

Decimal256 Scaled(const Decimal256& value, int by) {
  return by == 0 ? value : Decimal256(value.IncreaseScaleBy(by));
}

/// Brings `value` from one scale to another, rounding.
Decimal256 Rescaled(const Decimal256& value, int from, int to) {
  if (to >= from) return Scaled(value, to - from);
  return Decimal256(value.ReduceScaleBy(from - to, /*round=*/true));
}

/// a / b cut off, and the rest; b is not 0.
std::pair<Decimal256, Decimal256> Divide(const Decimal256& a, const Decimal256& b) {
  auto result = a.Divide(b);
  return result.ok() ? *result : std::pair<Decimal256, Decimal256>();
}

/// a / b rounded half away from zero; b is not 0.
Decimal256 DivideRounded(const Decimal256& a, const Decimal256& b) {
  const auto [whole, rest] = Divide(a, b);
  Decimal256 quotient = whole;
  const Decimal256 twice = Decimal256(Decimal256::Abs(rest)) + Decimal256(Decimal256::Abs(rest));
  if (twice >= Decimal256(Decimal256::Abs(b))) {
    const bool negative = a.IsNegative() != b.IsNegative();
    quotient += Decimal256(negative ? -1 : 1);
  }
  return quotient;
}

struct Operands {
  Arithmetic operation;
  int scale_a;
  int scale_b;
  int scale_out;
};

/// b is not 0 where it divides.
Decimal256 Compute(const Operands& o, const Decimal256& a, const Decimal256& b) {
  const int scale = std::max(o.scale_a, o.scale_b);
  switch (o.operation) {
    case Arithmetic::kMultiply:
      return Rescaled(a * b, o.scale_a + o.scale_b, o.scale_out);
    case Arithmetic::kDivide: {
      // a·10^k / b has scale_out digits after the point when k = scale_out − scale_a + scale_b.
      const int shift = o.scale_out - o.scale_a + o.scale_b;
      return shift >= 0 ? DivideRounded(Scaled(a, shift), b) : DivideRounded(a, Scaled(b, -shift));
    }
    case Arithmetic::kModulo: {
      const Decimal256 x = Scaled(a, scale - o.scale_a);
      const Decimal256 y = Scaled(b, scale - o.scale_b);
      return Rescaled(Divide(x, y).second, scale, o.scale_out);
    }
    default: {
      const Decimal256 x = Scaled(a, scale - o.scale_a);
      const Decimal256 y = Scaled(b, scale - o.scale_b);
      return Rescaled(o.operation == Arithmetic::kAdd ? x + y : x + -y, scale, o.scale_out);
    }
  }
}

const char* SymbolOf(Arithmetic operation) {
  static constexpr const char* kSymbols[] = {"+", "-", "*", "/", "%"};
  return kSymbols[static_cast<int>(operation)];
}

ScalarKernel DecimalKernel(Arithmetic operation, const Type& a, const Type& b, const Type& result) {
  const Operands operands{operation, a.scale(), b.scale(), result.scale()};
  const bool divides = operation == Arithmetic::kDivide || operation == Arithmetic::kModulo;
  return [=](const ScalarCall& call) {
    return Map<Decimal128, Decimal128>(
        call, result.arrow_type(),
        [&](const Decimal128& x, const Decimal128& y, BatchError& error) -> Decimal128 {
          auto shown = [&] {
            return x.ToString(operands.scale_a) + " " + SymbolOf(operation) + " " +
                   y.ToString(operands.scale_b);
          };
          if (divides && y == Decimal128(0)) {
            error.Fail([&] { return "division by zero: " + shown(); });
            return Decimal128(0);
          }
          const Decimal256 out = Compute(operands, Decimal256(x), Decimal256(y));
          if (!out.FitsInPrecision(result.precision())) {
            error.Fail([&] { return shown() + " overflows " + result.ToString(); });
            return Decimal128(0);
          }
          const auto& words = out.little_endian_array();
          return Decimal128(static_cast<int64_t>(words[1]), words[0]);
        });
  };
}

}  // namespace

Type BoundedDecimal(int precision, int scale) {
  constexpr int kDigitsMax = 38;
  constexpr int kScaleKept = 6;
  if (precision <= kDigitsMax) return Type::Decimal(precision, scale);
  const int whole = precision - scale;
  return Type::Decimal(kDigitsMax, std::max(kDigitsMax - whole, std::min(scale, kScaleKept)));
}

Type DecimalOf(const Type& number) {
  switch (number.id()) {
    case TypeId::kDecimal:
      return number;
    case TypeId::kInt8:
    case TypeId::kUInt8:
      return Type::Decimal(3, 0);
    case TypeId::kInt16:
    case TypeId::kUInt16:
      return Type::Decimal(5, 0);
    case TypeId::kInt32:
    case TypeId::kUInt32:
      return Type::Decimal(10, 0);
    case TypeId::kUInt64:
      return Type::Decimal(20, 0);
    default:
      return Type::Decimal(19, 0);
  }
}

std::optional<BoundScalar> BindDecimalArithmetic(Arithmetic operation, const Type& a, const Type& b) {
  auto exact = [](const Type& type) {
    return type.is_integer() || type.id() == TypeId::kDecimal || type.is_null();
  };
  if (!exact(a) || !exact(b)) return std::nullopt;
  if (a.id() != TypeId::kDecimal && b.id() != TypeId::kDecimal) return std::nullopt;
  const Type left = a.is_null() ? b : DecimalOf(a);
  const Type right = b.is_null() ? a : DecimalOf(b);
  const Type result = ResultType(operation, left, right);
  return BoundScalar{{left, right}, result, DecimalKernel(operation, left, right, result), true};
}

}  // namespace laminar
