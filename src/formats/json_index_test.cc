#include "formats/json_index.h"

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <simdjson.h>

#include <string>
#include <vector>

namespace laminar {
namespace {

std::vector<uint32_t> Tokens(JsonIndex* index, std::string_view text) {
  EXPECT_EQ(index->Build(text), nullptr) << text;
  return {index->tokens(), index->tokens() + index->num_tokens()};
}

// libparquet of the Arrow wheel exports another simdjson (cmake/dependencies.cmake): ours must come first.
TEST(JsonIndex, TheLibraryIsTheOneOfTheHeader) {
  Dl_info info;
  ASSERT_NE(dladdr(reinterpret_cast<void*>(&simdjson::get_active_implementation), &info), 0);
  EXPECT_THAT(info.dli_fname, testing::HasSubstr("libsimdjson"));
}

TEST(JsonIndex, FindsWhereTokensStart) {
  JsonIndex index;
  EXPECT_THAT(Tokens(&index, R"({"a":1, "b" : [tru]})"),
              testing::ElementsAre(0, 1, 4, 5, 6, 8, 12, 14, 15, 18, 19));
  EXPECT_THAT(Tokens(&index, "{}\n{\"x{,\":\"\\\"\"}"), testing::ElementsAre(0, 1, 3, 4, 9, 10, 14));
  EXPECT_EQ(index.tokens()[7], 15u);
  EXPECT_EQ(index.tokens()[8], 15u);
  // Garbage behind a string or a bracket is a token of its own.
  EXPECT_THAT(Tokens(&index, "\"a\"b}c"), testing::ElementsAre(0, 3, 4, 5));
}

TEST(JsonIndex, BlankTextHasNoTokens) {
  JsonIndex index;
  for (std::string_view text : {"", " ", "\n\n", "  \r\n\t"}) {
    EXPECT_TRUE(Tokens(&index, text).empty());
    EXPECT_EQ(index.tokens()[0], text.size());
  }
}

TEST(JsonIndex, SaysWhatIsWrong) {
  JsonIndex index;
  EXPECT_STREQ(index.Build("{\"a\":\"x}"), "a string does not end");
  EXPECT_STREQ(index.Build("{\"a\":\"\xff\"}"), "invalid UTF-8");
  EXPECT_STREQ(index.Build("{\"a\":\"\xc3"), "a string does not end");
  EXPECT_STREQ(index.Build("{\"a\":\"\n\"}"), "a control character inside a string must be escaped");
  EXPECT_EQ(index.Build("{}"), nullptr);
}

TEST(JsonIndex, GrowsAndShrinks) {
  JsonIndex index;
  const std::string big = "\"" + std::string(40 << 20, 'x') + "\"";
  EXPECT_EQ(Tokens(&index, big).size(), 1u);
  EXPECT_EQ(Tokens(&index, "[1]").size(), 3u);
}

}  // namespace
}  // namespace laminar
