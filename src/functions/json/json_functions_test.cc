#include <gtest/gtest.h>

#include "functions/text/call_test_table.h"

namespace laminar {
namespace {

TEST(JsonGetters, ByKeyAndIndex) {
  ExpectCalls({{"JSON '{\"a\": {\"b\" : [1, 2]}}' -> 'a'", "{\"b\":[1,2]}"},
               {"'[1,\"x\",null]' -> 1", "\"x\""},
               {"'[1,\"x\",null]' -> 2", "null"},
               {"'[1,2,3]' -> -1", "3"},
               {"'[1,2,3]' -> 3", "null"},
               {"'{\"a\":12345678901234567890.10}' -> 'a'", "12345678901234567890.10"},
               {"'{\"a\":1' -> 'a'", "null"},
               {"'{\"a\":1} x' -> 'a'", "null"},
               {"'no json' -> 'a'", "null"},
               {"NULL -> 'a'", "null"},
               {"'{\"a\":1}' -> NULL", "null"},
               {"'{\"\u00e9\":1}' -> 'é'", "1"},
               {"'{\"\\u00e9\":1}' -> 'é'", "1"},
               {"'{\"a\":\"x\\ny\"}' ->> 'a'", "\"x\\ny\""},
               {"'{\"a\":[1, 2]}' ->> 'a'", "\"[1,2]\""},
               {"'{\"a\":true}' ->> 'a'", "\"true\""},
               {"'{\"a\":null}' ->> 'a'", "null"},
               {"'{\"a\":18446744073709551616}' ->> 'a'", "\"18446744073709551616\""},
               {"'{\"a\":[{\"b\":5}]}' #> '{a,0,b}'", "5"},
               {"'{\"a\":[{\"b\":5}]}' #>> '{a,-1,b}'", "\"5\""},
               {"'{\"0\":{\"b c\":5}}' #>> '{0,\"b c\"}'", "\"5\""},
               {"'{\"a\":1}' #> '{}'", "{\"a\":1}"},
               {"'{\"a\":[7]}' #> string_to_array('a,0', ',')", "7"},
               {"'{\"a\":1}' ? 'a'", "true"},
               {"'{\"a\":1}' ? 'b'", "false"},
               {"'{' ? 'b'", "null"}});
  EXPECT_NE(ErrorOfCall("'{}' #> 'a.b'"), "");
}

TEST(JsonGetters, ByType) {
  ExpectCalls({{"json_get('{\"a\":{\"b\":[10,20]}}', 'a', 'b', 1)", "20"},
               {"json_get('{\"a\":1}')", "{\"a\":1}"},
               {"json_get_str('{\"a\":1}', 'a')", "null"},
               {"json_get_str('{\"a\":\"\\ud83d\\ude00\"}', 'a')", "\"😀\""},
               {"json_get_int('{\"a\":9223372036854775807}', 'a')", "9223372036854775807"},
               {"json_get_int('{\"a\":9223372036854775808}', 'a')", "null"},
               {"json_get_int('{\"a\":1.0}', 'a')", "null"},
               {"json_get_int('{\"a\":1e3}', 'a')", "null"},
               {"json_get_int('{\"a\":\"1\"}', 'a')", "null"},
               {"json_get_float('{\"a\":1.5e2}', 'a')", "150.0"},
               {"json_get_float('{\"a\":true}', 'a')", "null"},
               {"json_get_bool('{\"a\":false}', 'a')", "false"},
               {"json_get_bool('{\"a\":0}', 'a')", "null"},
               {"json_get_json('{\"a\":{ \"b\" : 1}}', 'a')", "\"{\\\"b\\\":1}\""},
               {"json_get_array('[]')", "[]"},
               {"json_get_array('{}')", "null"},
               {"json_as_text('{\"a\":\"q\"}', 'a')", "\"q\""},
               {"json_contains('{\"a\":{\"b\":1}}', 'a', 'b')", "true"},
               {"json_contains('{\"a\":{\"b\":1}}', 'a', 0)", "false"},
               {"json_length('{\"a\":1,\"b\":2}')", "2"},
               {"json_length('[]')", "0"},
               {"json_length('1')", "null"},
               {"json_len('{\"a\":[1]}', 'a')", "1"}});
}

TEST(JsonPathFunctions, Value) {
  ExpectCalls({{"json_value('{\"a\":{\"b\":\"x\"}}', '$.a.b')", "\"x\""},
               {"json_value('{\"a\":1.50}', '$.a')", "\"1.50\""},
               {"json_value('{\"a\":true}', 'lax $.a')", "\"true\""},
               {"json_value('{\"a\":{}}', '$.a')", "null"},
               {"json_value('{\"a\":[1]}', '$.a')", "null"},
               {"json_value('{\"a\":null}', '$.a')", "null"},
               {"json_value('{}', '$.a')", "null"},
               {"json_value('{}', 'strict $.a')", "null"},
               {"json_value('broken', '$.a')", "null"},
               {"json_value('{\"user_id\":7}', 'user_id')", "\"7\""},
               {"json_value('{\"a\":[{\"b\":1},{\"b\":2}]}', '$.a[?(@.b > 1)].b')", "\"2\""},
               {"json_value('{\"a\":[1,2]}', '$.a[*]')", "null"},
               {"json_value('[{\"a\":5}]', '$.a')", "\"5\""},
               {"json_value('5', '$')", "\"5\""},
               {"json_value(JSON '{\"a\":\"\\u0041\"}', '$.a')", "\"A\""},
               {"json_value(NULL, '$.a')", "null"}});
  EXPECT_EQ(ErrorOfCall("json_value('{}', '$[')"),
            "json_value: bad path '$[': ']' is missing (at character 3)");
}

TEST(JsonPathFunctions, ValueWithClauses) {
  ExpectCalls({{"json_value_ext('{}', '$.a', 'd', NULL, false, false)", "\"d\""},
               {"json_value_ext('{}', '$.a', NULL, 'd', false, false)", "null"},
               {"json_value_ext('{\"a\":null}', '$.a', 'd', 'd', false, false)", "null"},
               {"json_value_ext('{\"a\":[]}', '$.a', NULL, 'd', false, false)", "\"d\""},
               {"json_value_ext('{', '$.a', 'd', 'e', false, false)", "\"e\""},
               {"json_value_ext('{}', 'strict $.a', NULL, 'e', false, false)", "\"e\""},
               {"json_value_ext('{\"a\":1}', '$.a', NULL, NULL, true, true)", "\"1\""},
               {"json_value_ext(NULL, '$.a', 'd', 'd', true, true)", "null"}});
  EXPECT_EQ(ErrorOfCall("json_value_ext('{}', '$.a', NULL, NULL, true, false)"),
            "json_value: no value at path '$.a' in {}");
  EXPECT_EQ(ErrorOfCall("json_value_ext('{', '$.a', NULL, NULL, false, true)"),
            "json_value: no single scalar at path '$.a' in {");
}

TEST(JsonPathFunctions, QueryAndExists) {
  ExpectCalls({{"json_query('{\"a\":{ \"b\": 1 }}', '$.a')", "{\"b\":1}"},
               {"json_query('{\"a\":1}', '$.a')", "null"},
               {"json_query('{\"a\":[[1],[2]]}', '$.a[*]')", "null"},
               {"json_query('{', '$')", "null"},
               {"json_query_wrapper('{\"a\":[1,\"x\"]}', '$.a[*]')", "[1,\"x\"]"},
               {"json_query_wrapper('{\"a\":[1]}', '$.a')", "[[1]]"},
               {"json_query_wrapper('{\"a\":[1]}', '$.a', 'conditional')", "[1]"},
               {"json_query_wrapper('{\"a\":1}', '$.a', 'conditional')", "[1]"},
               {"json_query_wrapper('{}', '$.a')", "null"},
               {"json_exists('{\"a\":null}', '$.a')", "true"},
               {"json_exists('{}', '$.a')", "false"},
               {"json_exists('broken', '$.a')", "false"},
               {"json_exists('{\"a\":{\"b\":{\"c\":1}}}', '$..c')", "true"},
               {"json_exists(NULL, '$')", "null"}});
}

TEST(JsonPathFunctions, Extract) {
  ExpectCalls(
      {{"extract_json('{\"a\":[1,\"x\",{\"b\": 2}]}', '$.a[*]')", "[\"1\",\"\\\"x\\\"\",\"{\\\"b\\\":2}\"]"},
       {"extract_json('{}', '$.a')", "[]"},
       {"extract_json('{', '$.a')", "null"},
       {"extract_json('{\"a\":12345678901234567890}', '$.a')", "[\"12345678901234567890\"]"},
       {"extract_json_string('{\"a\":1}', '$.a')", "null"},
       {"extract_json_string('{\"a\":[\"x\",\"y\"]}', '$.a[*]')", "\"x\""},
       {"get_first_json_object('{\"a\":\"x\"}', '$.a')", "\"\\\"x\\\"\""},
       {"get_first_json_object('{\"a\":null}', '$.a')", "\"null\""},
       {"get_first_json_object('{}', '$.a')", "null"}});
  EXPECT_EQ(ErrorOfCall("extract_json('{}', NULL)"), "extract_json: the path must be a literal and not NULL");
}

TEST(JsonBuild, ObjectsAndArrays) {
  ExpectCalls(
      {{"json_object()", "{}"},
       {"json_object('a', JSON '{\"x\":1}', 'b', '{\"x\":1}')", "{\"a\":{\"x\":1},\"b\":\"{\\\"x\\\":1}\"}"},
       {"json_object('é\"', true, 'n', NULL)", "{\"é\\\"\":true,\"n\":null}"},
       {"json_object('d', 1.0, 'l', string_to_array('a,b', ','))", "{\"d\":1.0,\"l\":[\"a\",\"b\"]}"},
       {"json_object('x', decode('00ff', 'hex'))", "{\"x\":\"AP8=\"}"},
       {"json_object_absent_on_null('a', NULL)", "{}"},
       {"json_object_absent_on_null('a', NULL, 'b', 2)", "{\"b\":2}"},
       {"json_array()", "[]"},
       {"json_array(NULL, 9007199254740993)", "[null,9007199254740993]"},
       {"json_array_absent_on_null(NULL)", "[]"},
       {"to_json(JSON '[1]')", "[1]"},
       {"to_json('[1]')", "\"[1]\""},
       {"to_json(NULL)", "null"},
       {"json_string(1.5)", "1.5"}});
  EXPECT_EQ(ErrorOfCall("json_object('a')"), "json_object takes pairs of key and value, 1 arguments given");
  EXPECT_EQ(ErrorOfCall("json_object(NULL, 1)"), "json_object: a key is NULL");
}

TEST(JsonInspect, ParsesAndTells) {
  ExpectCalls({{"parse_json(' [1, 2] ')", "[1,2]"},
               {"parse_json(' \"a\" ')", "\"a\""},
               {"parse_json('1e400')", "1e400"},
               {"try_parse_json('[1')", "null"},
               {"try_parse_json('')", "null"},
               {"is_valid_json('[1]')", "true"},
               {"is_valid_json('')", "false"},
               {"is_valid_json(NULL)", "null"},
               {"json_typeof('1')", "\"number\""},
               {"json_typeof(' null')", "\"null\""},
               {"json_typeof('x')", "null"},
               {"json_keys('{\"a\\\"b\":1}')", "[\"a\\\"b\"]"},
               {"json_keys('[]')", "null"},
               {"encode(json_sort_key(' \"a\\u0062\"'), 'hex')", "\"016162\""},
               {"encode(json_sort_key('0'), 'hex')", "\"0280000000000000008000\""},
               {"encode(json_sort_key('-0.0'), 'hex')", "\"0280000000000000008000\""},
               {"encode(json_sort_key('-1'), 'hex')", "\"02400fffffffffffff8000\""},
               {"encode(json_sort_key('18446744073709551615'), 'hex')", "\"02c3f00000000000007fff\""},
               {"json_sort_key('null')", "null"},
               {"json_sort_key('x')", "null"},
               {"json_quote('é')", "\"\\\"é\\\"\""},
               {"json_unquote('abc')", "\"abc\""},
               {"json_unquote('\"a')", "\"\\\"a\""},
               {"json_unquote('[1]')", "\"[1]\""}});
  EXPECT_EQ(ErrorOfCall("parse_json('{')"), "parse_json: '{' is not JSON");
}

TEST(JsonEdit, SetsRemovesMerges) {
  ExpectCalls({{"json_set('{\"a\":[1, 2.50]}', '$.a[0]', NULL)", "{\"a\":[null,2.50]}"},
               {"json_set('[1]', '$[5]', JSON '{\"x\": 1}')", "[1,{\"x\": 1}]"},
               {"json_set('[1,2]', '$[-1]', 'é')", "[1,\"é\"]"},
               {"json_set('{}', '$.a.b', 1)", "{}"},
               {"json_set('{\"a\":1}', '$.a.b', 1)", "{\"a\":1}"},
               {"json_set('{}', '$[\"q\\\"\"]', true)", "{\"q\\\"\":true}"},
               {"json_set('{', '$.a', 1)", "null"},
               {"json_set(NULL, '$.a', 1)", "null"},
               {"json_remove('{\"a\":{\"b\":1,\"c\":2}}', '$.a.b')", "{\"a\":{\"c\":2}}"},
               {"json_remove('{\"a\":1}', '$.a')", "{}"},
               {"json_remove('[1,2]', '$[2]')", "[1,2]"},
               {"json_remove('[1,2]', '$[-1]')", "[1]"},
               {"json_remove('7', '$.a')", "7"},
               {"json_merge('{\"a\":1}', '2')", "2"},
               {"json_merge('1', '{\"a\":null,\"b\":{\"c\":null}}')", "{\"b\":{}}"},
               {"json_merge('{\"a\":[1]}', '{\"a\":[2]}', '{\"b\":3}')", "{\"a\":[2],\"b\":3}"},
               {"json_merge('{\"\\u0061\":1}', '{\"a\":2}')", "{\"\\u0061\":2}"},
               {"json_merge('{', '{}')", "null"}});
  EXPECT_EQ(ErrorOfCall("json_set('{}', '$..a', 1)"),
            "json_set: bad path '$..a': only keys and indices can be changed");
  EXPECT_EQ(ErrorOfCall("json_remove('{}', '$')"), "json_remove: bad path '$': it is the whole document");
}

}  // namespace
}  // namespace laminar
