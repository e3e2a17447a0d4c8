#include "functions/json/json_path.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace laminar {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kStore = R"({"store":{"book":[
  {"category":"reference","author":"Nigel Rees","price":8.95},
  {"category":"fiction","author":"Evelyn Waugh","price":12.99,"isbn":"0-553"},
  {"category":"fiction","author":"Herman Melville","price":8.99}],
 "bicycle":{"color":"red","price":19.95}},"expensive":10,"a b":{"c.d":[[1,2],[3]]}})";

std::vector<std::string> Matches(std::string_view path,
                                 JsonPath::Semantics semantics = JsonPath::Semantics::kRfc,
                                 std::string_view json = kStore) {
  std::string error;
  const auto parsed = JsonPath::Parse(path, &error);
  if (!parsed) return {"error: " + error};
  std::vector<std::string_view> found;
  parsed->Find(json, semantics, SIZE_MAX, &found);
  // The first match must be the same by the quick way.
  const auto first = parsed->FindFirst(json, semantics);
  EXPECT_EQ(first.has_value(), !found.empty()) << path;
  if (first && !found.empty()) {
    EXPECT_EQ(*first, found[0]) << path;
  }
  return {found.begin(), found.end()};
}

std::string ErrorOf(std::string_view path) {
  std::string error;
  return JsonPath::Parse(path, &error) ? "" : error;
}

TEST(JsonPath, FollowsChains) {
  EXPECT_THAT(Matches("$.store.bicycle.color"), ElementsAre("\"red\""));
  EXPECT_THAT(Matches("$['store']['bicycle'][\"price\"]"), ElementsAre("19.95"));
  EXPECT_THAT(Matches("$.store.book[1].author"), ElementsAre("\"Evelyn Waugh\""));
  EXPECT_THAT(Matches("$.store.book[-1].price"), ElementsAre("8.99"));
  EXPECT_THAT(Matches("$.store.book[last - 1].price"), ElementsAre("12.99"));
  EXPECT_THAT(Matches("$['a b']['c.d'][0][1]"), ElementsAre("2"));
  EXPECT_THAT(Matches("$.\"a b\".\"c.d\"[1]"), ElementsAre("[3]"));
  EXPECT_THAT(Matches("$.store.book[3]"), IsEmpty());
  EXPECT_THAT(Matches("$.store.book[-4]"), IsEmpty());
  EXPECT_THAT(Matches("$.nothing.at.all"), IsEmpty());
  EXPECT_THAT(Matches("$.expensive.more"), IsEmpty());
  EXPECT_THAT(Matches("expensive"), ElementsAre("10"));
  EXPECT_THAT(Matches("a b"), ElementsAre(R"({"c.d":[[1,2],[3]]})"));
  EXPECT_THAT(Matches("  lax $.expensive "), ElementsAre("10"));
  EXPECT_THAT(Matches("strict $ . expensive"), ElementsAre("10"));
  EXPECT_EQ(Matches("$").size(), 1u);
}

TEST(JsonPath, LastOfTwoEqualKeysCounts) {
  EXPECT_THAT(Matches("$.a", JsonPath::Semantics::kRfc, R"({"a":1,"b":2,"a":3})"), ElementsAre("3"));
  EXPECT_THAT(Matches("$.a.b", JsonPath::Semantics::kRfc, R"({"a":{"b":1},"a":7})"), IsEmpty());
  EXPECT_THAT(Matches("$.a.b", JsonPath::Semantics::kRfc, R"({"a":7,"\u0061":{"b":1}})"), ElementsAre("1"));
}

TEST(JsonPath, WildcardsSlicesAndDescendants) {
  EXPECT_THAT(Matches("$.store.book[*].price"), ElementsAre("8.95", "12.99", "8.99"));
  EXPECT_THAT(Matches("$.store.bicycle.*"), ElementsAre("\"red\"", "19.95"));
  EXPECT_THAT(Matches("$..price"), ElementsAre("8.95", "12.99", "8.99", "19.95"));
  EXPECT_THAT(Matches("$..book[0,2].price"), ElementsAre("8.95", "8.99"));
  EXPECT_THAT(Matches("$.store.book[0]['author','price']"), ElementsAre("\"Nigel Rees\"", "8.95"));
  constexpr auto kRfc = JsonPath::Semantics::kRfc;
  EXPECT_THAT(Matches("$[1:3]", kRfc, "[0,1,2,3]"), ElementsAre("1", "2"));
  EXPECT_THAT(Matches("$[1 to 2]", kRfc, "[0,1,2,3]"), ElementsAre("1", "2"));
  EXPECT_THAT(Matches("$[2 to last]", kRfc, "[0,1,2,3]"), ElementsAre("2", "3"));
  EXPECT_THAT(Matches("$[-2:]", kRfc, "[0,1,2,3]"), ElementsAre("2", "3"));
  EXPECT_THAT(Matches("$[::2]", kRfc, "[0,1,2,3]"), ElementsAre("0", "2"));
  EXPECT_THAT(Matches("$[::-1]", kRfc, "[0,1,2]"), ElementsAre("2", "1", "0"));
  EXPECT_THAT(Matches("$[:9223372036854775807:9223372036854775807]", kRfc, "[0,1]"), ElementsAre("0"));
  EXPECT_THAT(Matches("$[::0]", kRfc, "[0,1]"), IsEmpty());
  EXPECT_THAT(Matches("$..*", kRfc, "[[1],2]"), ElementsAre("[1]", "2", "1"));
  EXPECT_THAT(Matches("$[*]", kRfc, "7"), IsEmpty());
}

TEST(JsonPath, Filters) {
  EXPECT_THAT(Matches("$.store.book[?(@.price < 10)].author"),
              ElementsAre("\"Nigel Rees\"", "\"Herman Melville\""));
  EXPECT_THAT(Matches("$.store.book[?@.isbn].price"), ElementsAre("12.99"));
  EXPECT_THAT(Matches("$.store.book[?(!@.isbn)].price"), ElementsAre("8.95", "8.99"));
  EXPECT_THAT(Matches("$.store.book[?(@.category=='fiction' && @.price > 9)].price"), ElementsAre("12.99"));
  EXPECT_THAT(Matches("$.store.book[?(@.price > 12 || @.category == \"reference\")].price"),
              ElementsAre("8.95", "12.99"));
  EXPECT_THAT(Matches("$.store.book[?(@.price > $.expensive)].price"), ElementsAre("12.99"));
  EXPECT_THAT(Matches("$.store.book[?(10 >= @.price)].price"), ElementsAre("8.95", "8.99"));
  constexpr auto kRfc = JsonPath::Semantics::kRfc;
  EXPECT_THAT(Matches("$[?(@ == 9007199254740993)]", kRfc, "[9007199254740992,9007199254740993]"),
              ElementsAre("9007199254740993"));
  EXPECT_THAT(Matches("$[?(@ == 1)]", kRfc, "[1,1.0,\"1\",true,null]"), ElementsAre("1", "1.0"));
  EXPECT_THAT(Matches("$[?(@ != 1)]", kRfc, "[1,\"1\",null]"), ElementsAre("\"1\"", "null"));
  EXPECT_THAT(Matches("$[?(@.a == null)]", kRfc, "[{\"a\":null},{}]"), ElementsAre("{\"a\":null}"));
  EXPECT_THAT(Matches("$[?(@ == true)]", kRfc, "[true,false]"), ElementsAre("true"));
  EXPECT_THAT(Matches("$[?(@ == '\xC3\xA9')]", kRfc, "[\"\\u00e9\"]"), ElementsAre("\"\\u00e9\""));
  EXPECT_THAT(Matches("$[?(@ < 'b')]", kRfc, "[\"a\",\"b\",1]"), ElementsAre("\"a\""));
  EXPECT_THAT(Matches("$[?(@.x[*] > 5)]", kRfc, "[{\"x\":[1,9]},{\"x\":[1]}]"), ElementsAre("{\"x\":[1,9]}"));
}

TEST(JsonPath, LaxModeLooksIntoArrays) {
  constexpr auto kSql = JsonPath::Semantics::kSql;
  EXPECT_THAT(Matches("$.store.book.price", kSql), ElementsAre("8.95", "12.99", "8.99"));
  EXPECT_THAT(Matches("lax $.store.book.isbn", kSql), ElementsAre("\"0-553\""));
  EXPECT_THAT(Matches("strict $.store.book.price", kSql), IsEmpty());
  EXPECT_THAT(Matches("$.store.book.price", JsonPath::Semantics::kRfc), IsEmpty());
  EXPECT_THAT(Matches("$[0]", kSql, "7"), ElementsAre("7"));
  EXPECT_THAT(Matches("$[last]", kSql, "7"), ElementsAre("7"));
  EXPECT_THAT(Matches("$[1]", kSql, "7"), IsEmpty());
  EXPECT_THAT(Matches("$[*]", kSql, "7"), ElementsAre("7"));
  EXPECT_THAT(Matches("$.store.book ? (@.price < 9).author", kSql),
              ElementsAre("\"Nigel Rees\"", "\"Herman Melville\""));
}

TEST(JsonPath, BadPathsSayWhere) {
  EXPECT_EQ(ErrorOf(""), "it is empty");
  EXPECT_EQ(ErrorOf("$x"), "a step starts with '.' or '[' (at character 2)");
  EXPECT_EQ(ErrorOf("$."), "a key is missing (at character 3)");
  EXPECT_EQ(ErrorOf("$["), "']' is missing (at character 3)");
  EXPECT_EQ(ErrorOf("$[a]"), "an index, a quoted key, '*' or a filter is missing (at character 3)");
  EXPECT_EQ(ErrorOf("$['a"), "a quote is not closed (at character 5)");
  EXPECT_EQ(ErrorOf("$[?(@.a > )]"), "'@', '$' or a literal is missing (at character 11)");
  EXPECT_EQ(ErrorOf("$.a.size()"), "methods such as .size() are not supported (at character 9)");
  EXPECT_NE(ErrorOf("$[?" + std::string(1000, '(') + "@.a"), "");
  EXPECT_NE(ErrorOf("$[?" + std::string(1000, '!') + "@.a]"), "");
  EXPECT_NE(ErrorOf("$[99999999999999999999]"), "");
}

TEST(FindJson, TakesNamesThatMayBeIndices) {
  JsonKey key = JsonKey::Name("1");
  key.index = 1;
  key.name_or_index = true;
  EXPECT_EQ(FindJson("[5,6]", {&key, 1}), "6");
  EXPECT_EQ(FindJson(R"({"1":7})", {&key, 1}), "7");
}

TEST(FindJson, StaysInsideBrokenText) {
  const JsonKey keys[] = {JsonKey::Name("a"), JsonKey::Index(-1)};
  const std::string text = R"({"a":[1,{"b":"x"}],"c":2})";
  for (size_t length = 0; length < text.size(); ++length) FindJson(std::string(text, 0, length), keys);
  EXPECT_EQ(FindJson(text, keys), R"({"b":"x"})");
}

}  // namespace
}  // namespace laminar
