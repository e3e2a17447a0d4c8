#pragma once

/// How alike two words are, by letters and by sound.

#include <cstdint>
#include <string_view>
#include <vector>

namespace laminar {

class TextWriter;

/// Fewest insertions, deletions and replacements of code points that turn one text into the other. One per
/// kernel call: it keeps its working memory from row to row.
class EditDistance {
 public:
  int64_t operator()(std::string_view a, std::string_view b);

 private:
  std::vector<uint32_t> short_;
  std::vector<uint32_t> long_;
  std::vector<int64_t> row_;
};

/// American Soundex: a letter and three digits (`Robert` → R163). Empty when there is no ASCII letter.
void AppendSoundex(std::string_view text, TextWriter& out);

}  // namespace laminar
