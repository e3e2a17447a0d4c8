/// TO_BYTES, FROM_BYTES, IP_TO_INT.

#include "functions/elementwise.h"
#include "functions/hash/register_hash.h"
#include "functions/overload.h"
#include "functions/text/utf8.h"

namespace laminar {
namespace {

/// One part of a dotted address: 0 to 255 in at most three digits; −1 otherwise.
int64_t AddressPart(std::string_view text) {
  if (text.empty() || text.size() > 3) return -1;
  int64_t value = 0;
  for (char c : text) {
    if (c < '0' || c > '9') return -1;
    value = value * 10 + (c - '0');
  }
  return value <= 255 ? value : -1;
}

std::optional<int64_t> AddressNumber(std::string_view text) {
  int64_t address = 0;
  for (int part = 0; part < 4; ++part) {
    const size_t dot = part < 3 ? text.find('.') : text.size();
    if (dot == std::string_view::npos) return std::nullopt;
    const int64_t value = AddressPart(text.substr(0, dot));
    if (value < 0) return std::nullopt;
    address = address << 8 | value;
    text.remove_prefix(std::min(dot + 1, text.size()));
  }
  return address;
}

arrow::Result<arrow::Datum> FromBytes(const ScalarCall& call) {
  return Map<std::string_view>(call, arrow::utf8(), [](std::string_view bytes) {
    return IsWellFormedUtf8(bytes) ? std::optional(bytes) : std::nullopt;
  });
}

}  // namespace

void RegisterBytesFunctions(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{.names = {"to_bytes"},
                              .doc = {.group = "Hash and encoding",
                                      .signature = "to_bytes(text) → BYTEA",
                                      .description = "The text's bytes in UTF-8.",
                                      .example = "encode(to_bytes('é'), 'hex')",
                                      .result = "\"c3a9\""},
                              .overloads = {Fixed({Type::Text()}, Type::Bytes(), [](const ScalarCall& call) {
                                return Map<std::string_view>(call, arrow::binary(),
                                                             [](std::string_view text) { return text; });
                              })}});
  registry.Add(ScalarFunction{.names = {"from_bytes"},
                              .doc = {.group = "Hash and encoding",
                                      .signature = "from_bytes(bytes) → TEXT",
                                      .description = "The bytes read as UTF-8; NULL when they are not.",
                                      .example = "from_bytes(decode('c3a9', 'hex'))",
                                      .result = "\"é\""},
                              .overloads = {Fixed({Type::Bytes()}, Type::Text(), FromBytes)}});
  registry.Add(ScalarFunction{
      .names = {"ip_to_int"},
      .doc = {.group = "Hash and encoding",
              .signature = "ip_to_int(text) → BIGINT",
              .description = "The number of a dotted IPv4 address; NULL when the text is none.",
              .example = "ip_to_int('192.168.0.1')",
              .result = "3232235521"},
      .overloads = {Fixed({Type::Text()}, Type::Int64(), [](const ScalarCall& call) {
        return Map<std::string_view>(call, arrow::int64(), AddressNumber);
      })}});
}

}  // namespace laminar
