/// & | # ^ << >> on BIGINT.

#include <fmt/format.h>

#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_scalar_core.h"

namespace laminar {

namespace {

template <typename F>
void Add(FunctionRegistry& registry, std::vector<std::string> names, const char* description,
         const char* example, const char* result, F f) {
  const Type bigint = Type::Int64();
  ScalarFunction function;
  function.doc = {"Operators", "a " + names[0] + " b → bigint", description, example, result};
  function.names = std::move(names);
  constexpr CanFail kCanFail =
      std::is_invocable_v<F, int64_t, int64_t, BatchError&> ? CanFail::kYes : CanFail::kNo;
  function.overloads = {Fixed(
      {bigint, bigint}, bigint,
      [f](const ScalarCall& call) { return Map<int64_t, int64_t>(call, arrow::int64(), f); }, kCanFail)};
  registry.Add(std::move(function));
}

bool CheckShift(int64_t by, BatchError& error) {
  if (by >= 0 && by < 64) return true;
  error.Fail([&] { return fmt::format("cannot shift by {}: 0 to 63 bits", by); });
  return false;
}

}  // namespace

void RegisterBitOperators(FunctionRegistry& registry) {
  Add(registry, {"&"}, "Bitwise and.", "6 & 3", "2", [](int64_t a, int64_t b) { return a & b; });
  Add(registry, {"|"}, "Bitwise or.", "6 | 3", "7", [](int64_t a, int64_t b) { return a | b; });
  Add(registry, {"#", "^"}, "Bitwise exclusive or.", "6 # 3", "5",
      [](int64_t a, int64_t b) { return a ^ b; });
  Add(registry, {"<<"}, "Shift left by 0 to 63 bits; bits that leave are lost.", "1 << 4", "16",
      [](int64_t a, int64_t b, BatchError& error) {
        return CheckShift(b, error) ? static_cast<int64_t>(static_cast<uint64_t>(a) << b) : 0;
      });
  Add(registry, {">>"}, "Shift right by 0 to 63 bits, keeping the sign.", "-16 >> 2", "-4",
      [](int64_t a, int64_t b, BatchError& error) { return CheckShift(b, error) ? a >> b : 0; });
}

}  // namespace laminar
