#pragma once

/// Hashes, signatures and text forms of bytes, as the interfaces of object stores want them.

#include <optional>
#include <string>
#include <string_view>

namespace laminar {

/// 64 hexadecimal digits.
std::string Sha256Hex(std::string_view data);
/// 32 hexadecimal digits: what an S3 object's ETag is made of.
std::string Md5Hex(std::string_view data);
/// 32 bytes.
std::string HmacSha256(std::string_view key, std::string_view data);
/// Two digits a byte, small letters.
std::string HexText(std::string_view bytes);
std::string Base64(std::string_view bytes);
/// With '-' and '_', without padding.
std::string Base64Url(std::string_view bytes);
/// nullopt for what is no base64.
std::optional<std::string> FromBase64(std::string_view text);
/// RSASSA-PKCS1-v1_5 with SHA-256; nullopt when `pem` holds no RSA private key.
std::optional<std::string> SignRs256(const std::string& pem, std::string_view data);

}  // namespace laminar
