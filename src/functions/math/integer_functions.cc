/// Functions of BIGINT.

#include <fmt/format.h>

#include <cctype>
#include <charconv>
#include <numeric>

#include "functions/elementwise.h"
#include "functions/math/register_math.h"
#include "functions/overload.h"

namespace laminar {

namespace {

uint64_t Magnitude(int64_t x) { return x < 0 ? 0 - static_cast<uint64_t>(x) : static_cast<uint64_t>(x); }

int64_t CheckedPositive(uint64_t value, const char* function, int64_t a, int64_t b, BatchError& error) {
  if (value > static_cast<uint64_t>(INT64_MAX)) {
    error.Fail([&] { return fmt::format("{}({}, {}) overflows BIGINT", function, a, b); });
    return 0;
  }
  return static_cast<int64_t>(value);
}

int64_t GreatestCommonDivisor(int64_t a, int64_t b, BatchError& error) {
  return CheckedPositive(std::gcd(Magnitude(a), Magnitude(b)), "gcd", a, b, error);
}

int64_t LeastCommonMultiple(int64_t a, int64_t b, BatchError& error) {
  if (a == 0 || b == 0) return 0;
  const uint64_t x = Magnitude(a);
  const uint64_t y = Magnitude(b);
  uint64_t product = 0;
  if (__builtin_mul_overflow(x / std::gcd(x, y), y, &product)) product = UINT64_MAX;
  return CheckedPositive(product, "lcm", a, b, error);
}

int64_t Factorial(int64_t n, BatchError& error) {
  if (n < 0 || n > 20) {
    error.Fail([&] { return fmt::format("factorial({}): 0 to 20 fit BIGINT", n); });
    return 0;
  }
  int64_t out = 1;
  for (int64_t i = 2; i <= n; ++i) out *= i;
  return out;
}

int64_t WholeQuotient(int64_t a, int64_t b, BatchError& error) {
  if (b == 0) error.Fail([&] { return fmt::format("division by zero: div({}, 0)", a); });
  if (b == -1 && a == INT64_MIN) error.Fail("div(-9223372036854775808, -1) overflows BIGINT");
  return error.failed() ? 0 : a / b;
}

void AppendBinary(int64_t value, TextWriter& out) {
  const uint64_t bits = static_cast<uint64_t>(value);
  int highest = 63;
  while (highest > 0 && !(bits >> highest & 1)) --highest;
  for (int i = highest; i >= 0; --i) out.Push(bits >> i & 1 ? '1' : '0');
}

void AppendHexNumber(int64_t value, TextWriter& out) {
  char* to = out.Reserve(16);
  for (char* end = std::to_chars(to, to + 16, static_cast<uint64_t>(value), 16).ptr; to < end; ++to) {
    *to = static_cast<char>(std::toupper(static_cast<unsigned char>(*to)));
    out.Advance(1);
  }
}

void AppendHexBytes(std::string_view bytes, TextWriter& out) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  for (const unsigned char c : bytes) {
    out.Push(kDigits[c >> 4]);
    out.Push(kDigits[c & 15]);
  }
}

/// A whole number from one base to another, in upper case; false for text that is none.
bool AppendInBase(std::string_view text, int64_t from, int64_t to, TextWriter& out, BatchError& error) {
  if (from < 2 || from > 36 || to < 2 || to > 36) {
    error.Fail([&] { return fmt::format("conv from base {} to {}: bases are 2 to 36", from, to); });
    return false;
  }
  int64_t value = 0;
  const auto [end, status] =
      std::from_chars(text.data(), text.data() + text.size(), value, static_cast<int>(from));
  if (status != std::errc() || end != text.data() + text.size()) return false;
  char* digits = out.Reserve(66);
  for (char* stop = std::to_chars(digits, digits + 66, value, static_cast<int>(to)).ptr; digits < stop;
       ++digits) {
    *digits = static_cast<char>(std::toupper(static_cast<unsigned char>(*digits)));
    out.Advance(1);
  }
  return true;
}

template <typename... Args, typename F>
ScalarBinder Bigint(CanFail can_fail, F f) {
  return Fixed(
      std::vector<Type>(sizeof...(Args), Type::Int64()), Type::Int64(),
      [f](const ScalarCall& call) { return Map<Args...>(call, arrow::int64(), f); }, can_fail);
}

}  // namespace

void RegisterIntegerFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      {"gcd"},
      {"Math", "gcd(a, b) → bigint", "Greatest common divisor, never negative.", "gcd(12, -18)", "6"},
      Volatility::kImmutable,
      {Bigint<int64_t, int64_t>(CanFail::kYes, GreatestCommonDivisor)}});
  registry.Add(
      ScalarFunction{{"lcm"},
                     {"Math", "lcm(a, b) → bigint",
                      "Least common multiple, never negative; overflow is an error.", "lcm(4, 6)", "12"},
                     Volatility::kImmutable,
                     {Bigint<int64_t, int64_t>(CanFail::kYes, LeastCommonMultiple)}});
  registry.Add(ScalarFunction{
      {"factorial"},
      {"Math", "factorial(n) → bigint", "n!, for n from 0 to 20; otherwise an error.", "factorial(5)", "120"},
      Volatility::kImmutable,
      {Bigint<int64_t>(CanFail::kYes, Factorial)}});
  registry.Add(ScalarFunction{{"bit_count"},
                              {"Math", "bit_count(n) → bigint",
                               "Bits that are set, in 64-bit two's complement.", "bit_count(7)", "3"},
                              Volatility::kImmutable,
                              {Bigint<int64_t>(CanFail::kNo, [](int64_t n) -> int64_t {
                                return __builtin_popcountll(static_cast<uint64_t>(n));
                              })}});
  registry.Add(ScalarFunction{{"div"},
                              {"Math", "div(a, b) → bigint",
                               "Quotient without its fraction; an error when b is 0.", "div(-7, 2)", "-3"},
                              Volatility::kImmutable,
                              {Bigint<int64_t, int64_t>(CanFail::kYes, WholeQuotient)}});
  registry.Add(ScalarFunction{
      {"bin"},
      {"Math", "bin(n) → text", "Binary digits; negative numbers in 64-bit two's complement.", "bin(10)",
       "\"1010\""},
      Volatility::kImmutable,
      {Fixed({Type::Int64()}, Type::Text(),
             [](const ScalarCall& call) { return MapText<int64_t>(call, arrow::utf8(), AppendBinary); })}});
  const Type text = Type::Text();
  const Type bigint = Type::Int64();
  registry.Add(ScalarFunction{
      {"hex"},
      {"Math", "hex(x) → text",
       "Hexadecimal digits of a number (negative: 64-bit two's complement), or of the bytes of a text or "
       "BYTEA.",
       "hex(255)", "\"FF\""},
      Volatility::kImmutable,
      {Fixed({bigint}, text,
             [](const ScalarCall& call) { return MapText<int64_t>(call, arrow::utf8(), AppendHexNumber); }),
       Fixed({text}, text,
             [](const ScalarCall& call) {
               return MapText<std::string_view>(call, arrow::utf8(), AppendHexBytes);
             }),
       Fixed({Type::Bytes()}, text, [](const ScalarCall& call) {
         return MapText<std::string_view>(call, arrow::utf8(), AppendHexBytes);
       })}});
  registry.Add(ScalarFunction{
      {"conv"},
      {"Math", "conv(text, from, to) → text",
       "A whole number written in one base (2 to 36) in another; NULL when the text is none.",
       "conv('ff', 16, 2)", "\"11111111\""},
      Volatility::kImmutable,
      {Fixed(
          {text, bigint, bigint}, text,
          [](const ScalarCall& call) {
            return MapText<std::string_view, int64_t, int64_t>(call, arrow::utf8(), AppendInBase);
          },
          CanFail::kYes)}});
}

}  // namespace laminar
