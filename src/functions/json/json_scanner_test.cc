#include "functions/json/json_scanner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "functions/elementwise.h"

namespace laminar {
namespace {

using testing::ElementsAre;

std::string Compact(std::string_view raw) {
  TextWriter writer(1, 1);
  AppendCompactJson(raw, writer);
  return std::string(writer.row());
}

TEST(IsValidJson, KnowsTheGrammar) {
  for (const char* valid :
       {"0", "-0", "12.5e-3", "1E+2", "\"\"", "\"\\u00e9\\n\\/\"", "true", "false", "null", "{}", "[]",
        " [ 1 , 2 ] ", "{\"a\":{\"b\":[[],{}]},\"a\":1}", "\t\r\n1\n", "123456789012345678901234567890",
        "\"a long string of more than sixteen bytes\""}) {
    EXPECT_TRUE(IsValidJson(valid)) << valid;
  }
  for (const char* invalid : {"",
                              " ",
                              "01",
                              "-",
                              "1.",
                              ".5",
                              "1e",
                              "+1",
                              "tru",
                              "nulls",
                              "\"",
                              "\"\\x\"",
                              "\"\\u12g4\"",
                              "\"\n\"",
                              "{",
                              "}",
                              "[",
                              "[1,]",
                              "[,1]",
                              "[1 2]",
                              "{a:1}",
                              "{\"a\"}",
                              "{\"a\":}",
                              "{\"a\":1,}",
                              "{\"a\":1]",
                              "[1}",
                              "1 2",
                              "{} []",
                              "NaN",
                              "'a'",
                              "[1],",
                              "{\"a\" 1}",
                              "\"\\\"",
                              "\xEF\xBB\xBF{}",
                              "\"a long string of more than sixteen by\x01tes\""}) {
    EXPECT_FALSE(IsValidJson(invalid)) << invalid;
  }
  EXPECT_FALSE(IsValidJson(std::string_view("1\0", 2)));
}

TEST(IsValidJson, BoundsDepth) {
  const std::string open(kJsonNestingMax, '['), close(kJsonNestingMax, ']');
  EXPECT_TRUE(IsValidJson(open + close));
  EXPECT_FALSE(IsValidJson("[" + open + close + "]"));
}

TEST(IsValidJson, AgreesWithAnotherParserOnDamagedTexts) {
  const std::string base =
      R"({"a":[1,-2.5e3,"x\u00e9\\",true,null],"b":{"c d":"\"quoted\"","e":[]},"f":false} )";
  std::mt19937 random(20240517);
  const std::string alphabet = "{}[]\",:\\0123456789.-+eEtfnul x";
  for (int i = 0; i < 20000; ++i) {
    std::string text = base;
    for (int edits = 1 + static_cast<int>(random() % 3); edits > 0; --edits) {
      const size_t at = random() % text.size();
      switch (random() % 3) {
        case 0:
          text.erase(at, 1);
          break;
        case 1:
          text[at] = alphabet[random() % alphabet.size()];
          break;
        default:
          text.insert(at, 1, alphabet[random() % alphabet.size()]);
      }
    }
    ASSERT_EQ(IsValidJson(text), nlohmann::json::accept(text)) << text;
    // Whatever the text is, the trusting cursor stays inside it and comes to an end.
    JsonLength(text);
    Compact(text);
  }
}

TEST(JsonCursor, TakesRawValues) {
  std::vector<std::string> keys, values;
  ForEachMember(R"( { "a" : 12345678901234567890123 , "b\"}" : [1, "]", {"x":"\\"}] ,"":"" } )",
                [&](std::string_view key, bool escaped, std::string_view value) {
                  keys.push_back(std::string(key) + (escaped ? "!" : ""));
                  values.emplace_back(value);
                  return true;
                });
  EXPECT_THAT(keys, ElementsAre("a", "b\\\"}!", ""));
  EXPECT_THAT(values, ElementsAre("12345678901234567890123", R"([1, "]", {"x":"\\"}])", "\"\""));
  std::vector<std::string> elements;
  ForEachElement("[ 1 ,[ ],\"a,b\" ]", [&](std::string_view value) {
    elements.emplace_back(value);
    return true;
  });
  EXPECT_THAT(elements, ElementsAre("1", "[ ]", "\"a,b\""));
  EXPECT_EQ(JsonLength("[]"), 0);
  EXPECT_EQ(JsonLength("[[1,2],3]"), 2);
  EXPECT_EQ(JsonLength("{\"a\":1,\"b\":2}"), 2);
  EXPECT_EQ(JsonLength("7"), -1);
}

/// A random value whose strings are full of brackets, quotes and backslashes.
nlohmann::json RandomValue(std::mt19937& random, int depth) {
  switch (random() % (depth > 0 ? 4 : 2)) {
    case 0:
      return static_cast<int64_t>(random());
    case 1: {
      std::string text(random() % 90, 'x');
      const bool plain = random() % 2;
      for (char& c : text) {
        if (random() % 3 == 0) c = plain ? "{}[],:"[random() % 6] : "{}[]\"\\,:"[random() % 8];
      }
      return text;
    }
    case 2: {
      auto array = nlohmann::json::array();
      for (size_t i = random() % 6; i > 0; --i) array.push_back(RandomValue(random, depth - 1));
      return array;
    }
    default: {
      auto object = nlohmann::json::object();
      for (size_t i = random() % 6; i > 0; --i)
        object["k\"{" + std::to_string(i)] = RandomValue(random, depth - 1);
      return object;
    }
  }
}

TEST(JsonCursor, SkipsAnyContainer) {
  std::mt19937 random(7);
  for (int round = 0; round < 500; ++round) {
    auto array = nlohmann::json::array();
    for (int i = 0; i < 5; ++i) array.push_back(RandomValue(random, 4));
    const std::string text = array.dump();
    ASSERT_TRUE(IsValidJson(text));
    std::vector<std::string> elements, expected;
    for (const auto& value : array) expected.push_back(value.dump());
    ForEachElement(text, [&](std::string_view raw) {
      elements.emplace_back(raw);
      return true;
    });
    ASSERT_EQ(elements, expected);
    EXPECT_EQ(Compact(array.dump(3)), text);
  }
}

TEST(JsonStrings, UndoEscapes) {
  EXPECT_EQ(DecodeJsonEscapes(R"(a\n\t\"\\\/\b\f\r)"), "a\n\t\"\\/\b\f\r");
  EXPECT_EQ(DecodeJsonEscapes(R"(\u0041\u00e9\u65e5)"), "Aé日");
  EXPECT_EQ(DecodeJsonEscapes(R"(\ud83d\ude00)"), "😀");
  EXPECT_EQ(DecodeJsonEscapes(R"(\ud83d)"), "\uFFFD");
  EXPECT_EQ(DecodeJsonEscapes(R"(\ude00x)"), "\uFFFDx");
  EXPECT_EQ(DecodeJsonEscapes(R"(\ud83d\u0041)"),
            "\uFFFD"
            "A");
  // Not valid, so never more than what was read.
  EXPECT_EQ(DecodeJsonEscapes(R"(\uzz\u)"), "uzzu");
  EXPECT_TRUE(JsonKeyEquals(R"(\u0061b)", true, "ab"));
  EXPECT_FALSE(JsonKeyEquals("a", false, "ab"));
  EXPECT_EQ(QuoteJson("a\"\\\n\x01é"), R"("a\"\\\n\u0001é")");
}

TEST(CompactJson, LeavesStringsAlone) {
  EXPECT_EQ(Compact("{ \"a b\" : [ 1 ,\n 2 ] , \"c\\\" d\" : \" \" }"), "{\"a b\":[1,2],\"c\\\" d\":\" \"}");
  EXPECT_EQ(Compact("[]"), "[]");
  EXPECT_EQ(Compact("\" x \""), "\" x \"");
}

}  // namespace
}  // namespace laminar
