/// RANDOM and RAND_INTEGER: a new value for every row, from a generator of each thread.

#include <random>

#include "base/random_id.h"
#include "functions/elementwise.h"
#include "functions/math/register_math.h"
#include "functions/overload.h"

namespace laminar {

namespace {

/// 53 random bits: every multiple of 2^-53 in [0, 1) is equally likely.
double RandomReal() { return static_cast<double>(ThreadGenerator()() >> 11) * 0x1.0p-53; }

arrow::Result<arrow::Datum> RandomIntegers(const ScalarCall& call) {
  // A constant bound still means a new number for each row.
  std::vector<arrow::Datum> args = call.args;
  if (args[0].is_scalar()) {
    ARROW_ASSIGN_OR_RAISE(args[0], arrow::MakeArrayFromScalar(*args[0].scalar(), call.num_rows));
  }
  return Map<int64_t>({args, call.num_rows, call.context}, arrow::int64(),
                      [](int64_t bound, BatchError& error) -> int64_t {
                        if (bound <= 0) {
                          error.Fail("the bound of rand_integer must be at least 1");
                          return 0;
                        }
                        return std::uniform_int_distribution<int64_t>(0, bound - 1)(ThreadGenerator());
                      });
}

}  // namespace

void RegisterRandom(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      {"random", "rand"},
      {"Math", "random() → double", "A new number in [0, 1) for every row.", "random() < 1", "true"},
      Volatility::kVolatile,
      {Fixed({}, Type::Double(),
             [](const ScalarCall& call) { return Generate(call, arrow::float64(), RandomReal); })}});
  registry.Add(
      ScalarFunction{{"rand_integer"},
                     {"Math", "rand_integer(n) → bigint",
                      "A new whole number in [0, n) for every row; n is at least 1.", "rand_integer(1)", "0"},
                     Volatility::kVolatile,
                     {Fixed({Type::Int64()}, Type::Int64(), RandomIntegers, CanFail::kYes)}});
}

}  // namespace laminar
