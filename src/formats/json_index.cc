#include "formats/json_index.h"

#include <simdjson.h>

#include <algorithm>

#include "base/error.h"

namespace laminar {

// simdjson has no public call for its first stage alone; this is the one place that reaches into its
// `internal` namespace, whose interface has been the same from 0.3 on.
struct JsonIndex::Parser {
  std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
  size_t capacity = 0;
};

namespace {

constexpr size_t kCapacityMin = 4 << 10;
constexpr size_t kCapacityKept =
    16 << 20;  // above that the index (four times the text) is given back after use
constexpr size_t kDepthUnused = 1;

const char* Describe(simdjson::error_code error) {
  switch (error) {
    case simdjson::UTF8_ERROR:
      return "invalid UTF-8";
    case simdjson::UNCLOSED_STRING:
      return "a string does not end";
    case simdjson::UNESCAPED_CHARS:
      return "a control character inside a string must be escaped";
    case simdjson::CAPACITY:
      return "the record is too long";
    case simdjson::MEMALLOC:
      return "out of memory for the record";
    default:
      return "malformed JSON";
  }
}

}  // namespace

JsonIndex::JsonIndex() : parser_(std::make_unique<Parser>()) {}
JsonIndex::~JsonIndex() = default;

const char* JsonIndex::Build(std::string_view text) {
  num_tokens_ = 0;
  const bool too_big = parser_->capacity > kCapacityKept && text.size() <= kCapacityKept;
  if (!parser_->stage || text.size() > parser_->capacity || too_big) {
    parser_->capacity = std::max(kCapacityMin, text.size() < kCapacityKept ? text.size() * 2 : text.size());
    parser_->stage.reset();
    const auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(
        parser_->capacity, kDepthUnused, parser_->stage);
    if (error != simdjson::SUCCESS) {
      parser_->stage.reset();
      return Describe(error);
    }
  }
  auto& stage = *parser_->stage;
  const auto error = stage.stage1(reinterpret_cast<const uint8_t*>(text.data()), text.size(),
                                  simdjson::stage1_mode::regular);
  if (error != simdjson::SUCCESS && error != simdjson::EMPTY) return Describe(error);
  tokens_ = stage.structural_indexes.get();
  num_tokens_ = error == simdjson::EMPTY ? 0 : stage.n_structural_indexes;
  if (num_tokens_ == 0) {
    stage.structural_indexes[0] = stage.structural_indexes[1] = static_cast<uint32_t>(text.size());
  }
  return nullptr;
}

}  // namespace laminar
