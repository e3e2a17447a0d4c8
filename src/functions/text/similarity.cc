#include "functions/text/similarity.h"

#include <algorithm>
#include <numeric>

#include "functions/elementwise.h"
#include "functions/text/utf8.h"

namespace laminar {
namespace {

void Decode(std::string_view text, std::vector<uint32_t>* out) {
  out->clear();
  for (size_t i = 0; i < text.size();) {
    const size_t bytes = CodePointBytes(text, i);
    out->push_back(DecodeCodePoint(text.substr(i, bytes)));
    i += bytes;
  }
}

/// By letter A…Z: its digit, '0' for vowels (they part two equal digits), '-' for H and W (they don't).
constexpr std::string_view kSoundexCodes = "01230120022455012623010202";

char SoundexCode(char letter) {
  if (letter == 'H' || letter == 'W') return '-';
  return kSoundexCodes[static_cast<size_t>(letter - 'A')];
}

}  // namespace

int64_t EditDistance::operator()(std::string_view a, std::string_view b) {
  if (a == b) return 0;
  Decode(a.size() <= b.size() ? a : b, &short_);
  Decode(a.size() <= b.size() ? b : a, &long_);
  row_.resize(short_.size() + 1);
  std::iota(row_.begin(), row_.end(), 0);
  // row_[j] is the distance of long_[0, i) and short_[0, j).
  for (size_t i = 1; i <= long_.size(); ++i) {
    int64_t diagonal = row_[0];
    row_[0] = static_cast<int64_t>(i);
    for (size_t j = 1; j <= short_.size(); ++j) {
      const int64_t replaced = diagonal + (long_[i - 1] != short_[j - 1]);
      diagonal = row_[j];
      row_[j] = std::min({replaced, row_[j] + 1, row_[j - 1] + 1});
    }
  }
  return row_.back();
}

void AppendSoundex(std::string_view text, TextWriter& out) {
  int written = 0;
  char last = 0;
  for (char c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    if (c < 'A' || c > 'Z') continue;
    const char code = SoundexCode(c);
    if (written == 0) {
      out.Push(c);
      ++written;
    } else if (code >= '1' && code != last) {
      out.Push(code);
      if (++written == 4) return;
    }
    if (code != '-') last = code;
  }
  if (written > 0) out.AppendRepeated('0', static_cast<size_t>(4 - written));
}

}  // namespace laminar
