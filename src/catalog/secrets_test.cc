#include "catalog/secrets.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace laminar {
namespace {

using Json = nlohmann::json;

const auto kNoneSecret = [](const std::string&) { return false; };

TEST(SecretBox, EncryptsDifferentlyEachTime) {
  const SecretBox box("key");
  const std::string a = box.Encrypt("hunter2"), b = box.Encrypt("hunter2");
  EXPECT_NE(a, b);
  EXPECT_EQ(box.Decrypt(a), "hunter2");
  EXPECT_EQ(box.Decrypt("plain"), "plain");
  EXPECT_THROW(SecretBox("other").Decrypt(a), ExternalError);
  EXPECT_THROW(box.Decrypt(a.substr(0, a.size() - 2)), ExternalError);
}

TEST(Secrets, LiteralsAreEncryptedReferencesAreNot) {
  const SecretBox box("key");
  const Json config = {{"auth", {{"password", "hunter2"}, {"username", "u"}}},
                       {"api_secret", "{{ NAME }}"},
                       {"url", "redis://user:pass@host/0"},
                       {"headers", {{"X-Api-Key", "k"}, {"Accept", "json"}}}};
  const Json stored = EncryptSecrets(config, Json::object(), kNoneSecret, box);
  EXPECT_EQ(DecryptSecrets(stored, box), config);
  EXPECT_EQ(stored.dump().find("hunter2"), std::string::npos);
  const Json shown = MaskSecrets(stored);
  EXPECT_EQ(shown["auth"]["password"], kSecretMask);
  EXPECT_EQ(shown["auth"]["username"], "u");
  EXPECT_EQ(shown["api_secret"], "{{ NAME }}");
  EXPECT_EQ(shown["url"], kSecretMask);
  EXPECT_EQ(shown["headers"]["X-Api-Key"], kSecretMask);
  EXPECT_EQ(shown["headers"]["Accept"], "json");
  EXPECT_EQ(EncryptSecrets(shown, stored, kNoneSecret, box), stored) << "the mask keeps what is stored";
}

TEST(SecretSource, ResolvesSeveralReferences) {
  const SecretSource source("", {"NOTHING_*"});
  std::vector<std::string> used;
  EXPECT_EQ(source.Resolve(std::string("{{A}}:{{ B }}/${A}"), {{"A", "1"}, {"B", "2"}}, &used), "1:2/1");
  EXPECT_EQ(used, (std::vector<std::string>{"1", "2", "1"}));
  try {
    source.Resolve(std::string("{{ HOME }} {{ C }}"), {}, nullptr);
    FAIL() << "HOME is not on the list of allowed names";
  } catch (const SecretNotFound& error) {
    EXPECT_EQ(error.missing(), (std::vector<std::string>{"HOME", "C"}));
  }
  EXPECT_EQ(source.Resolve(std::string("{{ 7 }} {{}} {{x"), {}, nullptr), "{{ 7 }} {{}} {{x");
}

TEST(SecretSource, ScriptsKeepDollars) {
  EXPECT_EQ(SecretSource().ResolveScript("'${A}' '{{ A }}'", {{"A", "1"}}, nullptr), "'${A}' '1'");
}

TEST(Secrets, ScrubLeavesShortValues) {
  EXPECT_EQ(Scrub("at topsecret and ab", {"topsecret", "ab"}), "at ******** and ab");
}

}  // namespace
}  // namespace laminar
