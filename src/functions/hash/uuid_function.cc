/// UUID(): version 4 by RFC 9562, random.

#include <array>
#include <random>

#include "base/random_id.h"
#include "functions/elementwise.h"
#include "functions/hash/encoding.h"
#include "functions/hash/register_hash.h"
#include "functions/overload.h"

namespace laminar {
namespace {

/// 16 random bytes as 8-4-4-4-12 hexadecimal digits with version and variant set.
std::string_view NewUuid(std::mt19937_64& random, std::array<char, 36>& text) {
  constexpr char kDigits[] = "0123456789abcdef";
  uint64_t high = (random() & ~uint64_t{0xF000}) | 0x4000;
  uint64_t low = (random() & ~(uint64_t{3} << 62)) | uint64_t{2} << 62;
  for (size_t i = text.size(); i-- > 0;) {
    if (i == 8 || i == 13 || i == 18 || i == 23) {
      text[i] = '-';
      continue;
    }
    uint64_t& word = i > 18 ? low : high;
    text[i] = kDigits[word & 15];
    word >>= 4;
  }
  return {text.data(), text.size()};
}

arrow::Result<arrow::Datum> Uuid(const ScalarCall& call) {
  std::mt19937_64& random = ThreadGenerator();
  std::array<char, 36> text;
  return Generate(call, arrow::utf8(), [&] { return NewUuid(random, text); });
}

}  // namespace

void RegisterUuidFunction(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{
      .names = {"uuid", "gen_random_uuid"},
      .doc = {.group = "Hash and encoding",
              .signature = "uuid() → TEXT",
              .description = "A new random UUID (version 4) for each row. Not to be kept secret.",
              .example = "length(uuid())",
              .result = "36"},
      .volatility = Volatility::kVolatile,
      .overloads = {Fixed({}, Type::Text(), Uuid)}});
}

}  // namespace laminar
