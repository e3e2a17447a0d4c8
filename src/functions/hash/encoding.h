#pragma once

/// Bytes as hexadecimal and base64 text (RFC 4648).

#include <string_view>

namespace laminar {

class TextWriter;

enum class Encoding { kHex, kBase64 };

void AppendEncoded(std::string_view bytes, Encoding encoding, TextWriter& out);
/// Hexadecimal in either case; base64 with or without padding, in the standard or the URL-safe alphabet.
/// False when the text is neither; what was appended is then unusable.
bool AppendDecoded(std::string_view text, Encoding encoding, TextWriter& out);

}  // namespace laminar
