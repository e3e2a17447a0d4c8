#pragma once

/// Secrets: `{{ NAME }}` references that are resolved when something runs, and literals that are stored
/// encrypted and shown as a mask. Resolved values are never stored.

#include <functional>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

inline constexpr const char* kSecretMask = "********";

/// References to names that nobody knows.
class SecretNotFound : public std::exception {
 public:
  explicit SecretNotFound(std::vector<std::string> missing);
  const std::vector<std::string>& missing() const { return missing_; }
  const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::vector<std::string> missing_;
  std::string message_;
};

/// AES-256-GCM with the server's master key. Thread-safe.
class SecretBox {
 public:
  /// `key` is used as it is when it has 32 bytes, else its SHA-256 is.
  explicit SecretBox(std::string_view key);
  /// The key of the environment (LAMINAR_MASTER_KEY), else of `key_file`, which is made (mode 0600) when
  /// missing.
  static SecretBox Open(const std::string& key_file);

  std::string Encrypt(std::string_view plain) const;
  /// Gives texts that Encrypt did not make back as they are. Throws ExternalError for another key's.
  std::string Decrypt(const std::string& text) const;
  static bool IsEncrypted(std::string_view text);

 private:
  std::string key_;
};

/// Where references are looked up after a pipeline's own env_vars: the secrets file, then the environment.
class SecretSource {
 public:
  SecretSource() = default;
  /// `allow`: globs (`*`, `?`) of environment names.
  SecretSource(std::string file, std::vector<std::string> allow)
      : file_(std::move(file)), allow_(std::move(allow)) {}

  using Variables = std::map<std::string, std::string>;
  /// Reads the file anew, so that a rotated secret only needs a restart of the job.
  /// Every value that was used is added to `used` (for scrubbing). Throws SecretNotFound.
  std::string Resolve(const std::string& text, const Variables& variables,
                      std::vector<std::string>* used) const;
  /// All strings of a document.
  nlohmann::json Resolve(const nlohmann::json& document, const Variables& variables,
                         std::vector<std::string>* used) const;
  /// A script: only `{{ NAME }}`, since `${NAME}` may be a text of its own there.
  std::string ResolveScript(const std::string& text, const Variables& variables,
                            std::vector<std::string>* used) const;
  /// Names in the secrets file, without their values.
  std::vector<std::string> Names() const;
  /// Names that `text` refers to and that are not known now.
  std::vector<std::string> Missing(const nlohmann::json& document, const Variables& variables) const;

 private:
  std::optional<std::string> Lookup(const std::string& name, const Variables& variables,
                                    const Variables& from_file) const;
  Variables ReadFile() const;
  std::string Replaced(const std::string& text, bool dollar, const Variables& variables,
                       const Variables& from_file, std::vector<std::string>* used,
                       std::vector<std::string>* missing) const;

  std::string file_;
  std::vector<std::string> allow_ = {"*"};
};

/// True when the text holds a `{{ NAME }}` (or `${NAME}`).
bool HasReference(std::string_view text);
/// Whether a field is secret by its name alone: passwords, tokens, keys (connector options add their own).
bool IsSecretName(std::string_view name);
/// A document with its secret literals encrypted. `secret` says which dotted, folded field names are.
/// A mask where `stored` has a value keeps that value.
nlohmann::json EncryptSecrets(const nlohmann::json& config, const nlohmann::json& stored,
                              const std::function<bool(const std::string&)>& secret, const SecretBox& box);
/// The document for people: secrets masked, references as written.
nlohmann::json MaskSecrets(const nlohmann::json& config);
nlohmann::json DecryptSecrets(const nlohmann::json& config, const SecretBox& box);
/// Replaces every value of six or more characters by the mask.
std::string Scrub(std::string text, const std::vector<std::string>& values);

}  // namespace laminar
