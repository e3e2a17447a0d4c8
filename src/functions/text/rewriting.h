#pragma once

/// Functions that write a new text. All append to `out`, the column being built, so nothing is allocated per
/// row. Positions count code points and are 1-based.

#include <cstdint>
#include <string_view>

namespace laminar {

class TextWriter;

/// A result longer than this is refused as an error of the row: one mistaken REPEAT must not take all memory.
constexpr int64_t kTextBytesMax = int64_t{64} << 20;

/// Simple case mapping of Unicode, one code point to one ('ß' stays); no locale.
void AppendUpper(std::string_view text, TextWriter& out);
void AppendLower(std::string_view text, TextWriter& out);
/// First letter of each run of letters and digits upper, the others lower.
void AppendInitcap(std::string_view text, TextWriter& out);

/// Padded with `fill` to `length` code points, or cut to them (at the right end, both times). False when the
/// result would pass kTextBytesMax; nothing is appended then.
bool AppendLpad(std::string_view text, int64_t length, std::string_view fill, TextWriter& out);
bool AppendRpad(std::string_view text, int64_t length, std::string_view fill, TextWriter& out);
/// `count` ≤ 0 gives nothing. False as above.
bool AppendRepeat(std::string_view text, int64_t count, TextWriter& out);

/// Every `from` becomes `to`; an empty `from` changes nothing. False as above.
bool AppendReplace(std::string_view text, std::string_view from, std::string_view to, TextWriter& out);
/// The code points of `from` become those at the same place in `to`, or vanish when `to` is shorter.
void AppendTranslate(std::string_view text, std::string_view from, std::string_view to, TextWriter& out);
/// Code points in reverse order.
void AppendReverse(std::string_view text, TextWriter& out);
/// `count` code points from position `from` on replaced by `replacement`; `from` ≥ 1.
void AppendOverlay(std::string_view text, std::string_view replacement, int64_t from, int64_t count,
                   TextWriter& out);

/// Lower-case hexadecimal of an unsigned number, no prefix, no leading zeros.
void AppendHex(uint64_t value, TextWriter& out);

}  // namespace laminar
