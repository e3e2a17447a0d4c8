#include "catalog/secrets.h"

#include <fcntl.h>
#include <fnmatch.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/error.h"
#include "base/local_file.h"
#include "base/random_id.h"

namespace laminar {

namespace {

constexpr std::string_view kPrefix =
    "\x01"
    "enc1:";  // no text of a user begins with a control character
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

std::string Hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

std::string Unhex(std::string_view text) {
  auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string out;
  for (size_t i = 0; i + 1 < text.size(); i += 2)
    out += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
  return out;
}

std::string Sha256(std::string_view text) {
  std::string out(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

unsigned char* Bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

struct CipherFree {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};

bool IsNameStart(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool IsNamePart(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '.' || c == '-';
}

struct Reference {
  size_t begin, end;
  std::string name;
};

/// The first reference at or behind `from`.
std::optional<Reference> FindReference(std::string_view text, size_t from) {
  for (size_t at = from; at + 3 < text.size(); ++at) {
    const bool braces = text.substr(at, 2) == "{{";
    if (!braces && text.substr(at, 2) != "${") continue;
    size_t i = at + 2;
    while (braces && i < text.size() && text[i] == ' ') ++i;
    const size_t start = i;
    if (i >= text.size() || !IsNameStart(text[i])) continue;
    while (i < text.size() && IsNamePart(text[i])) ++i;
    const std::string name(text.substr(start, i - start));
    while (braces && i < text.size() && text[i] == ' ') ++i;
    const std::string_view close = braces ? "}}" : "}";
    if (text.substr(i, close.size()) != close) continue;
    return Reference{at, i + close.size(), name};
  }
  return std::nullopt;
}

/// Calls `change` on every string of the document, with its dotted name in lower case without _ and -.
nlohmann::json MapStrings(
    const nlohmann::json& document, const std::string& name,
    const std::function<nlohmann::json(const std::string&, const std::string&)>& change) {
  if (document.is_string()) return change(name, document.get_ref<const std::string&>());
  nlohmann::json out = document;
  if (document.is_object()) {
    for (auto& [key, value] : out.items()) {
      std::string folded = name.empty() ? "" : name + ".";
      for (const char c : key) {
        if (c != '_' && c != '-') folded += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
      value = MapStrings(value, folded, change);
    }
  } else if (document.is_array()) {
    for (auto& value : out) value = MapStrings(value, name, change);
  }
  return out;
}

std::string LastPart(const std::string& name) {
  const size_t dot = name.rfind('.');
  return dot == std::string::npos ? name : name.substr(dot + 1);
}

/// `scheme://user:password@host`: where the part before @ lies.
std::optional<std::pair<size_t, size_t>> UserInfo(std::string_view text) {
  const size_t scheme = text.find("://");
  if (scheme == std::string_view::npos) return std::nullopt;
  const size_t begin = scheme + 3;
  const size_t end = text.find_first_of("/?# ", begin);
  const size_t at = text.substr(0, end).rfind('@');
  if (at == std::string_view::npos || at < begin) return std::nullopt;
  const size_t colon = text.find(':', begin);
  if (colon == std::string_view::npos || colon > at) return std::nullopt;
  return std::pair{colon + 1, at};
}

const nlohmann::json* Member(const nlohmann::json* object, const std::string& key) {
  if (!object || !object->is_object()) return nullptr;
  const auto found = object->find(key);
  return found == object->end() ? nullptr : &*found;
}

nlohmann::json EncryptTree(const nlohmann::json& config, const nlohmann::json* stored,
                           const std::string& name, const std::function<bool(const std::string&)>& secret,
                           const SecretBox& box) {
  if (config.is_string()) {
    const std::string& text = config.get_ref<const std::string&>();
    const bool is_secret = secret(name) || IsSecretName(LastPart(name));
    if (text == kSecretMask && stored && stored->is_string()) return *stored;
    if (stored && stored->is_string() && MaskSecrets(*stored) == config && MaskSecrets(*stored) != *stored)
      return *stored;
    const bool hidden =
        (is_secret && !HasReference(text) && !text.empty()) || (UserInfo(text) && !HasReference(text));
    return hidden ? nlohmann::json(box.Encrypt(text)) : config;
  }
  nlohmann::json out = config;
  if (config.is_object()) {
    for (auto& [key, value] : out.items()) {
      std::string folded = name.empty() ? "" : name + ".";
      for (const char c : key) {
        if (c != '_' && c != '-') folded += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
      value = EncryptTree(value, Member(stored, key), folded, secret, box);
    }
  } else if (config.is_array()) {
    for (auto& value : out) value = EncryptTree(value, nullptr, name, secret, box);
  }
  return out;
}

}  // namespace

SecretNotFound::SecretNotFound(std::vector<std::string> missing) : missing_(std::move(missing)) {
  message_ = "unknown secret";
  for (size_t i = 0; i < missing_.size(); ++i) message_ += (i ? ", '" : " '") + missing_[i] + "'";
  message_ += ": set it in the pipeline's env_vars, the secrets file or the server's environment";
}

SecretBox::SecretBox(std::string_view key) : key_(key.size() == 32 ? std::string(key) : Sha256(key)) {}

SecretBox SecretBox::Open(const std::string& key_file) {
  if (const char* key = std::getenv("LAMINAR_MASTER_KEY"); key && *key) return SecretBox(key);
  if (!PathExists(key_file)) {
    const std::string made = key_file + ".new";
    RemoveFile(made);
    const int fd = open(made.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) throw ExternalError("file", "cannot make the key file '" + key_file + "'");
    WriteFully(fd, Hex(RandomBytes(32)), key_file);
    fsync(fd);
    close(fd);
    RenameFile(made, key_file);
  }
  std::ifstream in(key_file);
  std::string text;
  in >> text;
  if (text.size() != 64) throw ExternalError("file", "'" + key_file + "' is not a key file of 64 hex digits");
  return SecretBox(Unhex(text));
}

bool SecretBox::IsEncrypted(std::string_view text) { return text.substr(0, kPrefix.size()) == kPrefix; }

std::string SecretBox::Encrypt(std::string_view plain) const {
  std::string nonce = RandomBytes(kNonceBytes);
  std::string out(plain.size(), '\0'), tag(kTagBytes, '\0');
  std::unique_ptr<EVP_CIPHER_CTX, CipherFree> context(EVP_CIPHER_CTX_new());
  int length = 0;
  const bool ok =
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(key_), Bytes(nonce)) == 1 &&
      EVP_EncryptUpdate(context.get(), Bytes(out), &length, Bytes(plain), static_cast<int>(plain.size())) ==
          1 &&
      EVP_EncryptFinal_ex(context.get(), Bytes(out) + length, &length) == 1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, tag.data()) == 1;
  LAMINAR_CHECK(ok, "AES-GCM encryption failed");
  return std::string(kPrefix) + Hex(nonce + tag + out);
}

std::string SecretBox::Decrypt(const std::string& text) const {
  if (!IsEncrypted(text)) return text;
  const std::string bytes = Unhex(std::string_view(text).substr(kPrefix.size()));
  const ExternalError wrong(
      "secrets", "a stored secret was encrypted with another key (LAMINAR_MASTER_KEY or key file)");
  if (bytes.size() < kNonceBytes + kTagBytes) throw wrong;
  std::string tag = bytes.substr(kNonceBytes, kTagBytes);
  const std::string cipher = bytes.substr(kNonceBytes + kTagBytes);
  std::string out(cipher.size(), '\0');
  std::unique_ptr<EVP_CIPHER_CTX, CipherFree> context(EVP_CIPHER_CTX_new());
  int length = 0;
  const bool ok =
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, Bytes(key_), Bytes(bytes)) == 1 &&
      EVP_DecryptUpdate(context.get(), Bytes(out), &length, Bytes(cipher), static_cast<int>(cipher.size())) ==
          1 &&
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, tag.data()) == 1 &&
      EVP_DecryptFinal_ex(context.get(), Bytes(out) + length, &length) == 1;
  if (!ok) throw wrong;
  return out;
}

std::optional<std::string> SecretSource::Lookup(const std::string& name, const Variables& variables,
                                                const Variables& from_file) const {
  if (auto found = variables.find(name); found != variables.end()) return found->second;
  if (auto found = from_file.find(name); found != from_file.end()) return found->second;
  const bool allowed = std::any_of(allow_.begin(), allow_.end(), [&](const std::string& glob) {
    return fnmatch(glob.c_str(), name.c_str(), 0) == 0;
  });
  if (const char* value = allowed ? std::getenv(name.c_str()) : nullptr) return std::string(value);
  return std::nullopt;
}

SecretSource::Variables SecretSource::ReadFile() const {
  Variables out;
  if (file_.empty()) return out;
  std::ifstream in(file_);
  if (!in) throw ExternalError("secrets", "cannot open the secrets file '" + file_ + "'");
  std::stringstream all;
  all << in.rdbuf();
  const std::string text = all.str();
  const size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && text[first] == '{') {
    const auto json = nlohmann::json::parse(text, nullptr, false, true);
    if (!json.is_object()) throw ExternalError("secrets", "'" + file_ + "' is not a JSON object");
    for (const auto& [name, value] : json.items())
      out[name] = value.is_string() ? value.get<std::string>() : value.dump();
    return out;
  }
  if (file_.ends_with(".toml")) {
    try {
      for (const auto& [name, value] : toml::parse(text)) {
        if (const auto* string = value.as_string()) out[std::string(name.str())] = string->get();
      }
    } catch (const toml::parse_error&) {  // its text may show a secret
      throw ExternalError("secrets", "'" + file_ + "' is not a TOML file");
    }
    return out;
  }
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const size_t equal = line.find('=');
    if (equal == std::string::npos || line[0] == '#') continue;
    out[line.substr(0, equal)] = line.substr(equal + 1);
  }
  return out;
}

std::string SecretSource::Resolve(const std::string& text, const Variables& variables,
                                  std::vector<std::string>* used) const {
  return Resolve(nlohmann::json(text), variables, used).get<std::string>();
}

std::string SecretSource::Replaced(const std::string& text, bool dollar, const Variables& variables,
                                   const Variables& from_file, std::vector<std::string>* used,
                                   std::vector<std::string>* missing) const {
  std::string result;
  size_t from = 0, searched = 0;
  while (auto reference = FindReference(text, searched)) {
    searched = reference->end;
    if (!dollar && text[reference->begin] == '$') continue;
    result += text.substr(from, reference->begin - from);
    from = reference->end;
    if (auto value = Lookup(reference->name, variables, from_file)) {
      // In a script it stands within quotes, and must not end them.
      for (const char c : *value) result += c == '\'' && !dollar ? "''" : std::string(1, c);
      if (used) used->push_back(*value);
    } else {
      missing->push_back(reference->name);
    }
  }
  return result + text.substr(from);
}

nlohmann::json SecretSource::Resolve(const nlohmann::json& document, const Variables& variables,
                                     std::vector<std::string>* used) const {
  const Variables from_file = ReadFile();
  std::vector<std::string> missing;
  nlohmann::json out = MapStrings(document, "", [&](const std::string&, const std::string& text) {
    return nlohmann::json(Replaced(text, true, variables, from_file, used, &missing));
  });
  if (!missing.empty()) throw SecretNotFound(missing);
  return out;
}

std::string SecretSource::ResolveScript(const std::string& text, const Variables& variables,
                                        std::vector<std::string>* used) const {
  std::vector<std::string> missing;
  std::string out = Replaced(text, false, variables, ReadFile(), used, &missing);
  if (!missing.empty()) throw SecretNotFound(missing);
  return out;
}

std::vector<std::string> SecretSource::Names() const {
  std::vector<std::string> out;
  for (const auto& [name, value] : ReadFile()) out.push_back(name);
  return out;
}

std::vector<std::string> SecretSource::Missing(const nlohmann::json& document,
                                               const Variables& variables) const {
  try {
    Resolve(document, variables, nullptr);
  } catch (const SecretNotFound& error) {
    return error.missing();
  }
  return {};
}

bool HasReference(std::string_view text) { return FindReference(text, 0).has_value(); }

bool IsSecretName(std::string_view name) {
  std::string folded;
  for (const char c : name) {
    if (c != '_' && c != '-') folded += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  static const std::vector<std::string> names = {
      "password", "saslpassword", "apisecret",       "apikey",        "token",
      "jwt",      "nkeyseed",     "secretaccesskey", "authorization", "sessiontoken"};
  if (std::find(names.begin(), names.end(), folded) != names.end()) return true;
  return folded.find("secret") != std::string::npos || folded.find("password") != std::string::npos;
}

nlohmann::json EncryptSecrets(const nlohmann::json& config, const nlohmann::json& stored,
                              const std::function<bool(const std::string&)>& secret, const SecretBox& box) {
  auto with_headers = [&](const std::string& name) {
    if (secret(name)) return true;
    if (!name.starts_with("headers.")) return false;
    const std::string header = LastPart(name);
    return header.find("key") != std::string::npos || header.find("token") != std::string::npos ||
           header.find("secret") != std::string::npos || header == "authorization";
  };
  return EncryptTree(config, &stored, "", with_headers, box);
}

nlohmann::json MaskSecrets(const nlohmann::json& config) {
  return MapStrings(config, "", [](const std::string&, const std::string& text) {
    return nlohmann::json(SecretBox::IsEncrypted(text) ? std::string(kSecretMask) : text);
  });
}

nlohmann::json DecryptSecrets(const nlohmann::json& config, const SecretBox& box) {
  return MapStrings(config, "", [&](const std::string&, const std::string& text) {
    return nlohmann::json(box.Decrypt(text));
  });
}

std::string Scrub(std::string text, const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    if (value.size() < 6) continue;
    for (size_t at = 0; (at = text.find(value, at)) != std::string::npos;)
      text.replace(at, value.size(), kSecretMask);
  }
  return text;
}

}  // namespace laminar
