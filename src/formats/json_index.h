#pragma once

/// The first of the two passes over JSON text: simdjson finds, with SIMD, where each token starts, and proves
/// that the text is UTF-8 and that strings end. The second pass is ours (json_record_reader.cc), because it
/// reads only the wanted fields and writes straight into columns.
///
/// A token is one of `{ } [ ] : ,`, a whole string (its opening quote), or a run of other characters (a
/// number, `true`, or garbage). simdjson's own name for the list is "structural indexes".

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

namespace laminar {

class JsonIndex {
 public:
  JsonIndex();
  ~JsonIndex();

  /// Finds the tokens of `text`. nullptr when it is sound so far, else what is wrong with it. Text of several
  /// records is fine. Needs no padding behind the text.
  const char* Build(std::string_view text);

  /// Offsets of the tokens, ascending; valid until the next Build. Followed by two more entries equal to the
  /// text's size.
  const uint32_t* tokens() const { return tokens_; }
  uint32_t num_tokens() const { return num_tokens_; }

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  const uint32_t* tokens_ = nullptr;
  uint32_t num_tokens_ = 0;
};

}  // namespace laminar
