#include <gtest/gtest.h>

#include "base/error.h"
#include "functions/function_testing.h"

namespace laminar::function_testing {
namespace {

Value Ints(const std::string& json) { return V("BIGINT[]", json); }
Value Texts(const std::string& json) { return V("TEXT[]", json); }
Value Map(const std::string& json) { return V("MAP<TEXT, BIGINT>", json); }

TEST(ArrayTest, Access) {
  CheckCases({
      {"array_length", {Ints("[1,2,null]")}, "3"},
      {"array_length", {Ints("[]")}, "0"},
      {"array_length", {Null("BIGINT[]")}, "null"},
      {"array_length", {V("BIGINT[][]", "[[1,2],[3]]"), Int(2)}, "2"},
      {"array_length", {V("BIGINT[][]", "[[1,2],[3]]"), Int(3)}, "null"},
      {"cardinality", {Map(R"({"a":1,"b":2})")}, "2"},
      {"empty", {Ints("[]")}, "true"},
      {"array_element", {Ints("[10,20,30]"), Int(1)}, "10"},
      {"array_element", {Ints("[10,20,30]"), Int(-1)}, "30"},
      {"array_element", {Ints("[10,20,30]"), Int(4)}, "null"},
      {"array_element", {Ints("[10,20,30]"), Int(0)}, "null"},
      {"array_element", {Ints("[null]"), Int(1)}, "null"},
      {"array_element", {V("STRUCT<a INT>[]", R"([{"a":1}])"), Int(1)}, R"({"a":1})"},
      {"element_at", {Ints("[10,20]"), Int(2)}, "20"},
      {"array_contains", {Ints("[1,2]"), Int(2)}, "true"},
      {"array_contains", {Ints("[1,2]"), Int(3)}, "false"},
      {"array_contains", {Texts(R"(["a",null])"), Text("a")}, "true"},
      {"array_contains", {Null("BIGINT[]"), Int(3)}, "null"},
      {"array_has_all", {Ints("[1,2,3]"), Ints("[3,1]")}, "true"},
      {"array_has_all", {Ints("[1]"), Ints("[]")}, "true"},
      {"array_has_any", {Ints("[1]"), Ints("[2]")}, "false"},
      {"@>", {Ints("[1,2,3]"), Ints("[4]")}, "false"},
      {"<@", {Ints("[1]"), Ints("[1,2]")}, "true"},
      {"array_position", {Texts(R"(["a","b","b"])"), Text("b")}, "2"},
      {"array_position", {Texts(R"(["a"])"), Text("b")}, "null"},
      {"array_position", {Texts(R"(["a",null])"), Null("TEXT")}, "2"},
      {"array_positions", {Texts(R"(["a","b","b"])"), Text("b")}, "[2,3]"},
  });
}

TEST(ArrayTest, Change) {
  CheckCases({
      {"make_array", {Int(1), Null("BIGINT"), Int(3)}, "[1,null,3]"},
      {"make_array", {}, "[]"},
      {"make_array", {Ints("[1]"), Ints("[2,3]")}, "[[1],[2,3]]"},
      {"array_append", {Ints("[1,2]"), Int(3)}, "[1,2,3]"},
      {"array_append", {Ints("[1]"), Null("BIGINT")}, "[1,null]"},
      {"array_append", {V("INT[]", "[1]"), Double(1.5)}, "[1.0,1.5]"},
      {"array_prepend", {Int(0), Ints("[1]")}, "[0,1]"},
      {"array_concat", {Ints("[1]"), Ints("[]"), Ints("[2,3]")}, "[1,2,3]"},
      {"array_concat", {Ints("[1]"), Null("BIGINT[]")}, "null"},
      {"array_remove", {Ints("[1,2,1]"), Int(1)}, "[2,1]"},
      {"array_remove_all", {Ints("[1,2,1]"), Int(1)}, "[2]"},
      {"array_remove_all", {Ints("[1,null]"), Null("BIGINT")}, "[1]"},
      {"array_replace", {Ints("[1,2,1]"), Int(1), Int(9)}, "[9,2,1]"},
      {"array_replace_all", {Ints("[1,2,1]"), Int(1), Null("BIGINT")}, "[null,2,null]"},
      {"array_reverse", {Ints("[1,null,3]")}, "[3,null,1]"},
      {"array_slice", {Ints("[1,2,3,4]"), Int(2), Int(-1)}, "[2,3,4]"},
      {"array_slice", {Ints("[1,2,3,4]"), Int(-2), Int(9)}, "[3,4]"},
      {"array_slice", {Ints("[1,2]"), Int(3), Int(4)}, "[]"},
      {"array_pop_back", {Ints("[1,2]")}, "[1]"},
      {"array_pop_front", {Ints("[]")}, "[]"},
      {"array_resize", {Ints("[1]"), Int(3), Int(0)}, "[1,0,0]"},
      {"array_resize", {Ints("[1,2,3]"), Int(1)}, "[1]"},
      {"array_resize", {Ints("[1]"), Int(2)}, "[1,null]"},
      {"array_repeat", {Text("a"), Int(2)}, R"(["a","a"])"},
      {"array_repeat", {Text("a"), Int(-2)}, "[]"},
      {"flatten", {V("BIGINT[][]", "[[1],null,[2,3]]")}, "[1,2,3]"},
      {"flatten", {Ints("[1]")}, "[1]"},
  });
}

TEST(ArrayTest, Sets) {
  CheckCases({
      {"array_sort", {Ints("[3,null,1]")}, "[1,3,null]"},
      {"array_sort", {Ints("[3,null,1]"), Text("desc")}, "[null,3,1]"},
      {"array_sort", {Ints("[3,null,1]"), Text("desc"), Text("nulls last")}, "[3,1,null]"},
      {"array_sort", {Texts(R"(["b","a"])")}, R"(["a","b"])"},
      {"array_distinct", {Ints("[2,1,2,null,null]")}, "[2,1,null]"},
      {"array_union", {Ints("[1,2]"), Ints("[2,3]")}, "[1,2,3]"},
      {"array_intersect", {Ints("[1,2,2,null]"), Ints("[2,null]")}, "[2,null]"},
      {"array_except", {Ints("[1,2,3,1]"), Ints("[2]")}, "[1,3]"},
      {"array_except", {Ints("[1]"), Null("BIGINT[]")}, "null"},
  });
  EXPECT_EQ(Call("array_sort", {Ints("[1]"), Text("up")}),
            "error: argument 2 of array_sort must be 'DESC' or 'ASC'");
}

TEST(ArrayTest, Reduce) {
  CheckCases({
      {"array_min", {Ints("[3,null,1]")}, "1"},
      {"array_max", {Texts(R"(["a","c","b"])")}, "\"c\""},
      {"array_max", {Ints("[]")}, "null"},
      {"array_sum", {Ints("[1,null,2]")}, "3"},
      {"array_sum", {V("DOUBLE[]", "[1.5,2]")}, "3.5"},
      {"array_sum", {Ints("[null]")}, "null"},
      {"array_sum", {Ints("[9223372036854775807,1]")}, "error: the sum of an array overflows BIGINT"},
      {"array_avg", {Ints("[1,null,2]")}, "1.5"},
      {"array_to_string", {Ints("[1,null,3]"), Text(",")}, "\"1,3\""},
      {"array_to_string", {Ints("[1,null,3]"), Text(","), Text("-")}, "\"1,-,3\""},
      {"array_to_string", {Texts(R"(["a","b"])"), Text("")}, "\"ab\""},
      {"array_ndims", {V("BIGINT[][]", "[[1]]")}, "2"},
  });
}

TEST(ArrayTest, Series) {
  CheckCases({
      {"range", {Int(3)}, "[0,1,2]"},
      {"range", {Int(1), Int(4)}, "[1,2,3]"},
      {"range", {Int(4), Int(1), Int(-2)}, "[4,2]"},
      {"range", {Int(1), Int(1)}, "[]"},
      {"generate_series", {Int(1), Int(7), Int(3)}, "[1,4,7]"},
      {"generate_series", {Int(1), Int(8), Int(3)}, "[1,4,7]"},
      {"generate_series", {Int(1), Int(1)}, "[1]"},
      {"generate_series", {Int(1), Int(2), Int(0)}, "error: the step of a series must not be 0"},
      {"generate_series", {Int(INT64_MAX - 1), Int(INT64_MAX)}, "[9223372036854775806,9223372036854775807]"},
      {"range", {Int(0), Int(INT64_MAX)}, "error: a series has more than 1000000 elements"},
      {"generate_series",
       {Timestamp("2024-01-31"), Timestamp("2024-03-31"), Interval("1 month")},
       R"(["2024-01-31T00:00:00","2024-02-29T00:00:00","2024-03-31T00:00:00"])"},
      {"range",
       {V("DATE", "\"2024-01-01\""), V("DATE", "\"2024-01-02\""), Interval("12 hours")},
       R"(["2024-01-01T00:00:00","2024-01-01T12:00:00"])"},
  });
}

TEST(MapTest, Functions) {
  CheckCases({
      {"map", {Texts(R"(["a","b"])"), Ints("[1,null]")}, R"({"a":1,"b":null})"},
      {"map",
       {Texts(R"(["a"])"), Ints("[1,2]")},
       "error: a map of 1 keys and 2 values: there must be as many"},
      {"map", {Texts("[null]"), Ints("[1]")}, "error: a key of a MAP cannot be NULL"},
      {"map_extract", {Map(R"({"a":1,"b":2})"), Text("b")}, "2"},
      {"map_extract", {Map(R"({"a":1})"), Text("x")}, "null"},
      {"map_extract", {Map("{}"), Text("x")}, "null"},
      {"map_extract", {V("MAP<BIGINT, TEXT>", R"({"7":"x"})"), Int(7)}, "\"x\""},
      {"element_at", {Map(R"({"a":1})"), Text("a")}, "1"},
      {"map_keys", {Map(R"({"a":1,"b":2})")}, R"(["a","b"])"},
      {"map_values", {Map(R"({"a":1,"b":2})")}, "[1,2]"},
      {"map_entries", {Map(R"({"a":1})")}, R"([{"key":"a","value":1}])"},
      {"str_to_map", {Text("a=1,b")}, R"({"a":"1","b":null})"},
      {"str_to_map", {Text("a:1;b:2"), Text(";"), Text(":")}, R"({"a":"1","b":"2"})"},
      {"str_to_map", {Text("")}, "{}"},
      {"map_concat", {Map(R"({"a":1,"b":1})"), Map(R"({"a":2})")}, R"({"b":1,"a":2})"},
      {"map_keys", {Null("MAP<TEXT, BIGINT>")}, "null"},
  });
}

TEST(StructTest, Functions) {
  CheckCases({
      {"struct", {Int(1), Text("a")}, R"({"c0":1,"c1":"a"})"},
      {"row", {Null("BIGINT")}, R"({"c0":null})"},
      {"named_struct", {Text("a"), Int(1), Text("b"), Null("TEXT")}, R"({"a":1,"b":null})"},
      {"get_field", {V("STRUCT<a INT, b TEXT>", R"({"a":1,"b":"x"})"), Text("B")}, "\"x\""},
      {"get_field", {Null("STRUCT<a INT>"), Text("a")}, "null"},
      {"get_field",
       {V("STRUCT<a INT>", R"({"a":1})"), Text("z")},
       "error: there is no field 'z' in STRUCT<a INT>"},
  });
}

TEST(DocTest, EveryFunctionIsDescribed) {
  for (const ScalarFunction* function : CoreRegistry().scalars()) {
    const FunctionDoc& doc = function->doc;
    EXPECT_FALSE(doc.group.empty() || doc.signature.empty() || doc.description.empty() ||
                 doc.example.empty() || doc.result.empty())
        << function->names[0];
    EXPECT_FALSE(function->overloads.empty()) << function->names[0];
  }
}

}  // namespace
}  // namespace laminar::function_testing
