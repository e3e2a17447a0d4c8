/// Arithmetic on integers (checked) and floating-point numbers (IEEE), and the operators' registration.
/// Narrow integers are promoted as in C: results are INT, BIGINT or BIGINT UNSIGNED.

#include "functions/core/arithmetic.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_scalar_core.h"

namespace laminar {

namespace {

const char* Symbol(Arithmetic operation) {
  switch (operation) {
    case Arithmetic::kAdd:
      return "+";
    case Arithmetic::kSubtract:
      return "-";
    case Arithmetic::kMultiply:
      return "*";
    case Arithmetic::kDivide:
      return "/";
    case Arithmetic::kModulo:
      return "%";
  }
  return "?";
}

/// True on overflow; `out` is then the wrapped value.
template <Arithmetic kOperation, typename T>
bool Overflows(T a, T b, T* out) {
  if constexpr (kOperation == Arithmetic::kAdd) return __builtin_add_overflow(a, b, out);
  if constexpr (kOperation == Arithmetic::kSubtract) return __builtin_sub_overflow(a, b, out);
  return __builtin_mul_overflow(a, b, out);
}

/// The loop without branches: all rows, NULL ones too. Whether any overflowed.
template <Arithmetic kOperation, typename T>
bool ComputeAll(const ColumnReader<T>& a, const ColumnReader<T>& b, int64_t rows, T* out) {
  bool overflow = false;
  const T* x = a.values();
  const T* y = b.values();
  if (b.is_constant()) {
    const T constant = y[0];
    for (int64_t i = 0; i < rows; ++i) overflow |= Overflows<kOperation>(a[i], constant, out + i);
  } else if (a.is_constant()) {
    const T constant = x[0];
    for (int64_t i = 0; i < rows; ++i) overflow |= Overflows<kOperation>(constant, y[i], out + i);
  } else {
    for (int64_t i = 0; i < rows; ++i) overflow |= Overflows<kOperation>(x[i], y[i], out + i);
  }
  return overflow;
}

template <Arithmetic kOperation, typename T>
ScalarKernel CheckedKernel(const Type& type) {
  return [type, arrow_type = type.arrow_type()](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const CallShape shape = ShapeOf(call);
    if (shape.all_null) return NullDatum(arrow_type);
    const ColumnReader<T> a(call.args[0]);
    const ColumnReader<T> b(call.args[1]);
    elementwise::ValueWriter<T> writer(shape.rows);
    if (ComputeAll<kOperation>(a, b, shape.rows, writer.values())) {
      // Some row overflowed, perhaps what lies under a NULL.
      for (int64_t row = 0; row < shape.rows; ++row) {
        T unused;
        if (!shape.IsValid(row) || !Overflows<kOperation>(a[row], b[row], &unused)) continue;
        return arrow::Status::Invalid(
            fmt::format("{} {} {} overflows {}", a[row], Symbol(kOperation), b[row], type.ToString()));
      }
    }
    ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
    return FinishColumn(shape, arrow_type, shape.valid, std::move(buffers));
  };
}

template <typename T>
ScalarKernel DivisionKernel(const Type& type, bool modulo) {
  return [type, modulo](const ScalarCall& call) {
    return Map<T, T>(call, type.arrow_type(), [&](T a, T b, BatchError& error) -> T {
      if (b == 0) [[unlikely]] {
        error.Fail([&] { return fmt::format("division by zero: {} {} 0", a, modulo ? "%" : "/"); });
        return 0;
      }
      if constexpr (std::is_signed_v<T>) {
        if (b == -1) [[unlikely]] {
          if (modulo) return 0;
          if (a == std::numeric_limits<T>::min()) {
            error.Fail([&] { return fmt::format("{} / -1 overflows {}", a, type.ToString()); });
            return 0;
          }
        }
      }
      return modulo ? a % b : a / b;
    });
  };
}

template <typename T>
ScalarKernel IntegerKernel(Arithmetic operation, const Type& type) {
  switch (operation) {
    case Arithmetic::kAdd:
      return CheckedKernel<Arithmetic::kAdd, T>(type);
    case Arithmetic::kSubtract:
      return CheckedKernel<Arithmetic::kSubtract, T>(type);
    case Arithmetic::kMultiply:
      return CheckedKernel<Arithmetic::kMultiply, T>(type);
    default:
      return DivisionKernel<T>(type, operation == Arithmetic::kModulo);
  }
}

template <typename T>
ScalarKernel RealKernel(Arithmetic operation, const Type& type) {
  auto arrow_type = type.arrow_type();
  auto kernel = [arrow_type](auto f) -> ScalarKernel {
    return [arrow_type, f](const ScalarCall& call) { return MapTotal<T, T>(call, arrow_type, f); };
  };
  switch (operation) {
    case Arithmetic::kAdd:
      return kernel([](T a, T b) { return a + b; });
    case Arithmetic::kSubtract:
      return kernel([](T a, T b) { return a - b; });
    case Arithmetic::kMultiply:
      return kernel([](T a, T b) { return a * b; });
    case Arithmetic::kDivide:
      return kernel([](T a, T b) { return a / b; });
    default:
      return kernel([](T a, T b) { return std::fmod(a, b); });
  }
}

Type Promoted(const Type& type) {
  switch (type.id()) {
    case TypeId::kInt8:
    case TypeId::kInt16:
    case TypeId::kUInt8:
    case TypeId::kUInt16:
      return Type::Int32();
    case TypeId::kUInt32:
      return Type::Int64();
    default:
      return type;
  }
}

BoundScalar BindIntegers(Arithmetic operation, const Type& type) {
  ScalarKernel kernel = type.id() == TypeId::kInt32    ? IntegerKernel<int32_t>(operation, type)
                        : type.id() == TypeId::kUInt64 ? IntegerKernel<uint64_t>(operation, type)
                                                       : IntegerKernel<int64_t>(operation, type);
  return {{type, type}, type, std::move(kernel), true};
}

}  // namespace

std::optional<BoundScalar> BindNumberArithmetic(Arithmetic operation, const Type& a, const Type& b) {
  auto takes = [](const Type& type) {
    return type.is_numeric() || type.is_null() || type.id() == TypeId::kJson;
  };
  if (!takes(a) || !takes(b)) return std::nullopt;
  auto number = [](const Type& type) { return type.id() == TypeId::kJson ? Type::Double() : type; };
  Type common = CommonType(number(a), number(b)).value_or(Type::Double());
  if (common.is_null()) common = Type::Int64();
  if (common.is_integer()) return BindIntegers(operation, Promoted(common));
  if (common.id() == TypeId::kFloat)
    return BoundScalar{{common, common}, common, RealKernel<float>(operation, common)};
  if (common.id() == TypeId::kDouble)
    return BoundScalar{{common, common}, common, RealKernel<double>(operation, common)};
  return std::nullopt;
}

std::optional<BoundScalar> BindArithmetic(Arithmetic operation, const BindArguments& arguments) {
  if (arguments.size() != 2) return std::nullopt;
  const Type& a = arguments.types[0];
  const Type& b = arguments.types[1];
  if (auto bound = BindTemporalArithmetic(operation, arguments)) return bound;
  if (auto bound = BindDecimalArithmetic(operation, a, b)) return bound;
  return BindNumberArithmetic(operation, a, b);
}

namespace {

template <typename T>
BoundScalar NegateInteger(const Type& type) {
  return {{type},
          type,
          [type](const ScalarCall& call) {
            return Map<T>(call, type.arrow_type(), [&](T a, BatchError& error) -> T {
              if (a == std::numeric_limits<T>::min()) [[unlikely]] {
                error.Fail([&] { return fmt::format("-({}) overflows {}", a, type.ToString()); });
                return 0;
              }
              return -a;
            });
          },
          true};
}

std::optional<BoundScalar> BindNegate(const BindArguments& arguments) {
  if (arguments.size() != 1) return std::nullopt;
  const Type& type = arguments.types[0];
  if (type.is_integer() || type.is_null()) {
    const Type to = type.is_null() || type.id() == TypeId::kUInt64 ? Type::Int64() : Promoted(type);
    return to.id() == TypeId::kInt32 ? NegateInteger<int32_t>(to) : NegateInteger<int64_t>(to);
  }
  auto total = [&]<typename T>(T) -> BoundScalar {
    return {{type}, type, [arrow_type = type.arrow_type()](const ScalarCall& call) {
              return MapTotal<T>(call, arrow_type, [](T a) { return -a; });
            }};
  };
  if (type.id() == TypeId::kFloat) return total(float{});
  if (type.id() == TypeId::kDouble) return total(double{});
  if (type.id() == TypeId::kDecimal) {
    return BoundScalar{{type}, type, [arrow_type = type.arrow_type()](const ScalarCall& call) {
                         return Map<arrow::Decimal128>(call, arrow_type, [](const arrow::Decimal128& a) {
                           return arrow::Decimal128(-a);
                         });
                       }};
  }
  if (type.id() != TypeId::kInterval) return std::nullopt;
  BindArguments times = arguments;
  times.types.push_back(Type::Int64());
  times.constants.push_back(nullptr);
  auto product = BindTemporalArithmetic(Arithmetic::kMultiply, times);
  return BoundScalar{{type},
                     type,
                     [kernel = product->kernel](const ScalarCall& call) {
                       const std::vector<arrow::Datum> args = {call.args[0], arrow::Datum(int64_t{-1})};
                       return kernel({args, call.num_rows, call.context});
                     },
                     true};
}

void Add(FunctionRegistry& registry, std::vector<std::string> names, Arithmetic operation,
         const char* description, const char* example, const char* result) {
  ScalarFunction function;
  function.doc = {"Operators", "a " + names[0] + " b → number, moment or interval", description, example,
                  result};
  function.names = std::move(names);
  function.overloads = {
      [operation](const BindArguments& arguments) { return BindArithmetic(operation, arguments); }};
  registry.Add(std::move(function));
}

}  // namespace

void RegisterArithmetic(FunctionRegistry& registry) {
  Add(registry, {"+"}, Arithmetic::kAdd,
      "Integers are checked for overflow. Also moment + interval (a day past the month's end becomes its "
      "last) and DATE + days.",
      "DATE '2024-01-31' + INTERVAL '1 month'", "\"2024-02-29\"");
  Add(registry, {"-"}, Arithmetic::kSubtract,
      "As +. TIMESTAMP - TIMESTAMP gives INTERVAL, DATE - DATE gives days.",
      "DATE '2024-03-01' - DATE '2024-02-01'", "29");
  Add(registry, {"*"}, Arithmetic::kMultiply,
      "DECIMALs multiply exactly up to 38 digits. Also INTERVAL * number.", "6 * 7", "42");
  Add(registry, {"/"}, Arithmetic::kDivide,
      "Integers: the fraction is cut off, and division by zero is an error. DOUBLE: by zero gives an "
      "infinity or NaN.",
      "-7 / 2", "-3");
  Add(registry, {"%", "mod"}, Arithmetic::kModulo,
      "The remainder, with the sign of a. Integers: an error when b is 0.", "-7 % 3", "-1");
  registry.Add(
      ScalarFunction{{"negate"},
                     {"Operators", "-x → the type of x", "Integers are checked for overflow.", "-(3)", "-3"},
                     Volatility::kImmutable,
                     {BindNegate}});
}

}  // namespace laminar
