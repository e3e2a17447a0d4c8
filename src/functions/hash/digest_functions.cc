/// Cryptographic digests, by OpenSSL: MD5, SHA… and DIGEST.

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "base/error.h"
#include "functions/elementwise.h"
#include "functions/hash/encoding.h"
#include "functions/hash/register_hash.h"
#include "functions/overload.h"

namespace laminar {
namespace {

/// Null pointer for an unknown name. OpenSSL keeps the algorithms; nobody frees them.
const EVP_MD* FindAlgorithm(std::string_view name) {
  if (EqualsIgnoreCase(name, "md5")) return EVP_md5();
  if (EqualsIgnoreCase(name, "sha1")) return EVP_sha1();
  if (EqualsIgnoreCase(name, "sha224")) return EVP_sha224();
  if (EqualsIgnoreCase(name, "sha256")) return EVP_sha256();
  if (EqualsIgnoreCase(name, "sha384")) return EVP_sha384();
  if (EqualsIgnoreCase(name, "sha512")) return EVP_sha512();
  if (EqualsIgnoreCase(name, "blake2b")) return EVP_blake2b512();
  if (EqualsIgnoreCase(name, "blake2s")) return EVP_blake2s256();
  return nullptr;
}

/// One digest after the other in the same context: EVP_Digest would make a context per row.
class Digester {
 public:
  explicit Digester(const EVP_MD* algorithm)
      : algorithm_(algorithm), context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {}

  /// Valid until the next call. False when OpenSSL refuses (an algorithm switched off by policy).
  bool Run(std::string_view bytes, std::string_view* digest) {
    unsigned length = 0;
    if (!context_ || EVP_DigestInit_ex(context_.get(), algorithm_, nullptr) != 1 ||
        EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1 ||
        EVP_DigestFinal_ex(context_.get(), bytes_.data(), &length) != 1) {
      return false;
    }
    *digest = {reinterpret_cast<const char*>(bytes_.data()), length};
    return true;
  }

 private:
  const EVP_MD* algorithm_;
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes_;
};

enum class Form { kHexText, kBytes };

ScalarKernel DigestKernel(const EVP_MD* algorithm, Form form) {
  return [=](const ScalarCall& call) {
    Digester digester(algorithm);
    const std::vector<arrow::Datum> args = {call.args[0]};
    return MapText<std::string_view>({args, call.num_rows, call.context},
                                     form == Form::kBytes ? arrow::binary() : arrow::utf8(),
                                     [&](std::string_view bytes, TextWriter& out, BatchError& error) {
                                       std::string_view digest;
                                       if (!digester.Run(bytes, &digest)) {
                                         error.Fail("OpenSSL refuses this digest");
                                       } else if (form == Form::kBytes) {
                                         out.Append(digest);
                                       } else {
                                         AppendEncoded(digest, Encoding::kHex, out);
                                       }
                                     });
  };
}

ScalarBinder DigestBinder(const Type& bytes) {
  return [bytes](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (!Accepts({bytes, Type::Text()}, arguments.types)) return std::nullopt;
    const auto name = ConstantText(arguments, 1);
    const EVP_MD* algorithm = name ? FindAlgorithm(*name) : nullptr;
    if (!algorithm) {
      throw UserError(
          Reason::kTypeError, {},
          fmt::format("digest: {}; there are md5, sha1, sha224, sha256, sha384, sha512, blake2b and blake2s",
                      name ? "unknown algorithm '" + *name + "'" : "the algorithm is no constant text"));
    }
    return BoundScalar{{bytes, Type::Text()}, Type::Bytes(), DigestKernel(algorithm, Form::kBytes), false};
  };
}

void RegisterHexDigest(FunctionRegistry& registry, const char* name, const char* title, const char* of_abc) {
  const EVP_MD* algorithm = FindAlgorithm(name);
  registry.Add(ScalarFunction{
      .names = {name},
      .doc = {.group = "Hash and encoding",
              .signature = fmt::format("{}(text or bytes) → TEXT", name),
              .description = fmt::format("{} digest as lower-case hexadecimal; see digest for bytes.", title),
              .example = fmt::format("{}('abc')", name),
              .result = fmt::format("\"{}\"", of_abc)},
      .overloads = {Fixed({Type::Bytes()}, Type::Text(), DigestKernel(algorithm, Form::kHexText)),
                    Fixed({Type::Text()}, Type::Text(), DigestKernel(algorithm, Form::kHexText))}});
}

}  // namespace

void RegisterDigestFunctions(FunctionRegistry& registry) {
  RegisterHexDigest(registry, "md5", "MD5", "900150983cd24fb0d6963f7d28e17f72");
  RegisterHexDigest(registry, "sha1", "SHA-1", "a9993e364706816aba3e25717850c26c9cd0d89d");
  RegisterHexDigest(registry, "sha224", "SHA-224",
                    "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
  RegisterHexDigest(registry, "sha256", "SHA-256",
                    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  RegisterHexDigest(
      registry, "sha384", "SHA-384",
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7");
  RegisterHexDigest(
      registry, "sha512", "SHA-512",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
      "454d4423643ce80e2a9ac94fa54ca49f");
  registry.Add(ScalarFunction{
      .names = {"digest"},
      .doc =
          {.group = "Hash and encoding",
           .signature = "digest(text or bytes, algorithm) → BYTEA",
           .description =
               "The digest's bytes. Algorithms: md5, sha1, sha224, sha256, sha384, sha512, blake2b, blake2s.",
           .example = "encode(digest('abc', 'md5'), 'hex')",
           .result = "\"900150983cd24fb0d6963f7d28e17f72\""},
      .overloads = {DigestBinder(Type::Bytes()), DigestBinder(Type::Text())}});
}

}  // namespace laminar
