#include "formats/format_test_support.h"

namespace laminar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const Format& Json() { return FormatOf("json"); }

Decoded Decode(const std::string& schema, std::string_view text, const FormatSpec& spec = Spec(),
               int64_t rows_max = 1000) {
  return DecodeAll("json", schema, text, spec, rows_max);
}

TEST(JsonDecoder, ReadsRows) {
  const auto decoded = Decode("a BIGINT, b TEXT", "{\"a\":1,\"b\":\"x\"}\n{\"b\":\"y\",\"a\":-2}\n");
  EXPECT_THAT(decoded.rows, ElementsAre(R"({"a":1,"b":"x"})", R"({"a":-2,"b":"y"})"));
  EXPECT_TRUE(decoded.errors.empty());
}

// One value of one column: what it becomes, or (starting with '!') a piece of the error.
struct ValueCase {
  const char* type;
  const char* json;
  const char* expected;
};

void CheckValues(const std::vector<ValueCase>& cases, const FormatSpec& spec = Spec()) {
  for (const ValueCase& c : cases) {
    // Neighbours on both sides must come through whatever happens in the middle.
    const std::string good = "{\"before\":1}\n";
    const std::string text = good + "{\"v\":" + c.json + ",\"before\":2}\n" + good;
    const auto decoded = Decode(std::string("before BIGINT, v ") + c.type, text, spec);
    const std::string what = std::string(c.type) + " from " + c.json;
    if (c.expected[0] == '!') {
      ASSERT_EQ(decoded.rows.size(), 2u) << what << " gave " << decoded.rows[1];
      ASSERT_EQ(decoded.errors.size(), 1u) << what;
      EXPECT_THAT(decoded.errors[0], HasSubstr(c.expected + 1)) << what;
      EXPECT_EQ(decoded.bad[0], std::string("{\"v\":") + c.json + ",\"before\":2}") << what;
    } else {
      ASSERT_EQ(decoded.rows.size(), 3u) << what << ": " << (decoded.errors.empty() ? "" : decoded.errors[0]);
      EXPECT_EQ(decoded.rows[1], std::string("{\"before\":2,\"v\":") + c.expected + "}") << what;
    }
    EXPECT_EQ(decoded.rows.front(), R"({"before":1,"v":null})") << what;
    EXPECT_EQ(decoded.rows.back(), R"({"before":1,"v":null})") << what;
  }
}

TEST(JsonDecoder, Integers) {
  CheckValues({
      {"BIGINT", "0", "0"},
      {"BIGINT", "-0", "0"},
      {"BIGINT", "12345678", "12345678"},
      {"BIGINT", "123456789", "123456789"},
      {"BIGINT", "1234567890123456", "1234567890123456"},
      {"BIGINT", "9007199254740993", "9007199254740993"},  // 2^53 + 1
      {"BIGINT", "9223372036854775807", "9223372036854775807"},
      {"BIGINT", "-9223372036854775808", "-9223372036854775808"},
      {"BIGINT", "9223372036854775808", "!out of range for BIGINT"},
      {"BIGINT", "-9223372036854775809", "!out of range"},
      {"BIGINT", "99999999999999999999999", "!out of range"},
      {"BIGINT", "1e3", "!column 'v': '1e3' is not a valid BIGINT"},
      {"BIGINT", "1.5", "!not a valid BIGINT"},
      {"BIGINT", "1.0", "!not a valid BIGINT"},
      {"BIGINT", "01", "!not a valid"},
      {"BIGINT", "+1", "!expected a value"},
      {"BIGINT", "-", "!not a valid"},
      {"BIGINT", "1-", "!not a valid"},
      {"BIGINT", "12x", "!not a valid"},
      {"BIGINT", "\"42\"", "42"},
      {"BIGINT", "\"\\u0034\\u0032\"", "42"},
      {"BIGINT", "\"abc\"", "!'abc' is not a valid BIGINT"},
      {"BIGINT", "\"\"", "!not a valid BIGINT"},
      {"BIGINT", "\" 1\"", "!not a valid BIGINT"},
      {"BIGINT", "true", "!not a valid BIGINT"},
      {"BIGINT", "{}", "!not a valid BIGINT"},
      {"BIGINT", "[1]", "!not a valid BIGINT"},
      {"BIGINT", "null", "null"},
      {"BIGINT", "nul", "!expected a value"},
      {"BIGINT", "nullx", "!expected a value"},
      {"BIGINT", " 7 ", "7"},
      {"TINYINT", "-128", "-128"},
      {"TINYINT", "128", "!out of range for TINYINT"},
      {"SMALLINT", "-32769", "!out of range"},
      {"INT", "2147483647", "2147483647"},
      {"INT", "2147483648", "!out of range for INT"},
      {"TINYINT UNSIGNED", "255", "255"},
      {"TINYINT UNSIGNED", "-1", "!out of range"},
      {"TINYINT UNSIGNED", "-0", "0"},
      {"INT UNSIGNED", "4294967295", "4294967295"},
      {"BIGINT UNSIGNED", "18446744073709551615", "18446744073709551615"},
      {"BIGINT UNSIGNED", "18446744073709551616", "!out of range"},
  });
}

TEST(JsonDecoder, FloatingPoint) {
  CheckValues({
      {"DOUBLE", "1", "1.0"},
      {"DOUBLE", "-0.0", "-0.0"},
      {"DOUBLE", "0.1", "0.1"},
      {"DOUBLE", "1e3", "1000.0"},
      {"DOUBLE", "1E+3", "1000.0"},
      {"DOUBLE", "123456789012345678", "1.2345678901234568e17"},
      {"DOUBLE", "2.2250738585072011e-308", "2.225073858507201e-308"},
      {"DOUBLE", "179769313486231570000e288", "1.7976931348623157e308"},
      {"DOUBLE", "1e999", "!out of range"},
      {"DOUBLE", "1e-999", "0.0"},
      {"DOUBLE", "\"1.5\"", "1.5"},
      {"DOUBLE", "\"NaN\"", "null"},
      {"DOUBLE", "\"Infinity\"", "null"},
      {"DOUBLE", "NaN", "!expected a value"},
      {"DOUBLE", "1.", "!not a valid DOUBLE"},
      {"DOUBLE", ".5", "!expected a value"},
      {"DOUBLE", "1e", "!not a valid DOUBLE"},
      {"DOUBLE", "0x10", "!not a valid DOUBLE"},
      {"FLOAT", "0.1", "0.1"},
      {"FLOAT", "16777217", "16777216.0"},
      {"FLOAT", "1e39", "!out of range"},
  });
}

TEST(JsonDecoder, Decimals) {
  CheckValues({
      {"DECIMAL(38,2)", "123456789012345678901234567890123456.78", "123456789012345678901234567890123456.78"},
      {"DECIMAL(10,2)", "1.5", "1.50"},
      {"DECIMAL(10,2)", "-0.05", "-0.05"},
      {"DECIMAL(10,2)", "1e3", "1000.00"},
      {"DECIMAL(10,2)", "15e-1", "1.50"},
      {"DECIMAL(10,2)", "1.005", "1.01"},
      {"DECIMAL(10,2)", "-1.005", "-1.01"},
      {"DECIMAL(10,2)", "1.00499999", "1.00"},
      {"DECIMAL(10,2)", "99999999.99", "99999999.99"},
      {"DECIMAL(10,2)", "99999999.995", "!out of range for DECIMAL(10,2)"},
      {"DECIMAL(10,2)", "100000000", "!out of range"},
      {"DECIMAL(10,2)", "1e100", "!out of range"},
      {"DECIMAL(10,2)", "0e1000000", "0.00"},
      {"DECIMAL(10,2)", "1e-100", "0.00"},
      {"DECIMAL(10,0)", "7", "7"},
      {"DECIMAL(10,2)", "\"12.34\"", "12.34"},
      {"DECIMAL(10,2)", "\"12,34\"", "!not a valid DECIMAL(10,2)"},
  });
  CheckValues({{"DECIMAL(10,2)", "\"BNI=\"", "12.34"},
               {"DECIMAL(10,2)", "\"/w==\"", "-0.01"},
               {"DECIMAL(2,0)", "\"ZA==\"", "!fit the column"},
               {"DECIMAL(10,2)", "\"\"", "!base64"}},
              Spec({{"decimal_encoding", "bytes"}}));
}

TEST(JsonDecoder, Text) {
  CheckValues({
      {"TEXT", "\"\"", "\"\""},
      {"TEXT", "\"hello\"", "\"hello\""},
      {"TEXT", R"("a\"b\\c\/d\b\f\n\r\t")", R"("a\"b\\c/d\b\f\n\r\t")"},
      {"TEXT", R"("\u00e9\u20AC")", "\"\u00e9\u20ac\""},
      {"TEXT", R"("\ud83d\ude00")", "\"\U0001F600\""},
      {"TEXT", R"("a\u0000b")", R"("a\u0000b")"},
      {"TEXT", R"("\ud83d")", "!bad escape"},
      {"TEXT", R"("\ude00")", "!bad escape"},
      {"TEXT", R"("\ud83dx\ude00")", "!bad escape"},
      {"TEXT", R"("\u12g4")", "!bad escape"},
      {"TEXT", R"("\x41")", "!bad escape"},
      {"TEXT", "\"\xc3\xa9\"", "\"\u00e9\""},
      {"TEXT", "\"\xff\"", "!invalid UTF-8"},
      {"TEXT", "\"\xed\xa0\x80\"", "!invalid UTF-8"},
      {"TEXT", "\"\xc0\x80\"", "!invalid UTF-8"},
      {"TEXT", "\"a\tb\"", "!control character"},
      {"TEXT", "12.50", "\"12.50\""},
      {"TEXT", "true", "\"true\""},
      {"TEXT", "null", "null"},
      {"TEXT", R"({"a": [1, "x"]})", R"("{\"a\": [1, \"x\"]}")"},
      {"TEXT", "[1,2]", "\"[1,2]\""},
      {"TEXT", "[1,2", "!expected"},
      {"TEXT", "tru", "!expected a value"},
      {"BYTEA", "\"aGk=\"", "\"aGk=\""},
      {"BYTEA", "\"aGk\"", "\"aGk=\""},
      {"BYTEA", "\"_-8=\"", "\"/+8=\""},
      {"BYTEA", "\"\"", "\"\""},
      {"BYTEA", "\"a\"", "!not base64"},
      {"BYTEA", "\"a*b=\"", "!not base64"},
      {"BYTEA", "1", "!not a valid BYTEA"},
      {"BOOLEAN", "true", "true"},
      {"BOOLEAN", "false", "false"},
      {"BOOLEAN", "\"true\"", "true"},
      {"BOOLEAN", "1", "!not a valid BOOLEAN"},
      {"BOOLEAN", "falsey", "!not a valid BOOLEAN"},
  });
}

TEST(JsonDecoder, JsonColumns) {
  CheckValues({
      {"JSON", "1", "1"},
      {"JSON", "\"x\"", "\"x\""},
      {"JSON", "null", "null"},
      {"JSON", " { \"a\" : [ 1 , 2.5e3 , \"\\u0041\" ] } ", "{ \"a\" : [ 1 , 2.5e3 , \"\\u0041\" ] }"},
      {"JSON", "[]", "[]"},
      {"JSON", "{}", "{}"},
      {"JSON", "[1,]", "!expected a value"},
      {"JSON", "[1}", "!expected ',' or a closing bracket"},
      {"JSON", "{\"a\":1,}", "!expected a field name"},
      {"JSON", "{\"a\"}", "!expected ':'"},
      {"JSON", "{1:2}", "!expected a field name"},
      {"JSON", "\"\\q\"", "!bad escape"},
      {"JSON", "[01]", "!expected a value"},
      {"JSON", "[1 2]", "!expected"},
      {"JSON", "[\"a\"\"b\"]", "!expected"},
  });
}

TEST(JsonDecoder, Times) {
  CheckValues({
      {"TIMESTAMP", "\"2023-09-18T14:23:10Z\"", "\"2023-09-18T14:23:10\""},
      {"TIMESTAMP", "\"2023-09-18 14:23:10.123\"", "\"2023-09-18T14:23:10.123\""},
      {"TIMESTAMP", "\"2023-09-18T16:23:10.123456789+02:00\"", "\"2023-09-18T14:23:10.123456\""},
      {"TIMESTAMPTZ", "\"2023-09-18T16:23:10+02:00\"", "\"2023-09-18T14:23:10Z\""},
      {"TIMESTAMP(0)", "\"1969-12-31T23:59:59.5\"", "\"1969-12-31T23:59:59\""},
      {"TIMESTAMP(3)", "\"2023-09-18T14:23:10.123456\"", "\"2023-09-18T14:23:10.123\""},
      {"TIMESTAMP(9)", "\"2023-09-18T14:23:10.123456789\"", "\"2023-09-18T14:23:10.123456789\""},
      {"TIMESTAMP(9)", "\"9999-12-31T00:00:00\"", "!not a valid TIMESTAMP(9)"},
      {"TIMESTAMP", "\"9999-12-31T23:59:59.999999\"", "\"9999-12-31T23:59:59.999999\""},
      {"TIMESTAMP", "\"-0044-03-15T00:00:00\"", "\"-0044-03-15T00:00:00\""},
      {"TIMESTAMP", "\"yesterday\"", "!'yesterday' is not a valid TIMESTAMP"},
      {"TIMESTAMP", "1695046990", "\"2023-09-18T14:23:10\""},
      {"TIMESTAMP", "1695046990123", "\"2023-09-18T14:23:10.123\""},
      {"TIMESTAMP", "1695046990123456", "\"2023-09-18T14:23:10.123456\""},
      {"TIMESTAMP", "1695046990123456789", "\"2023-09-18T14:23:10.123456\""},
      {"TIMESTAMP(9)", "1695046990123456789", "\"2023-09-18T14:23:10.123456789\""},
      {"TIMESTAMP", "-1", "\"1969-12-31T23:59:59\""},
      {"TIMESTAMP", "-1000000000000", "\"1938-04-24T22:13:20\""},
      {"TIMESTAMP", "1.5", "!not a valid TIMESTAMP"},
      {"DATE", "\"2023-09-18\"", "\"2023-09-18\""},
      {"DATE", "19618", "\"2023-09-18\""},
      {"DATE", "-1", "\"1969-12-31\""},
      {"DATE", "\"18.09.2023\"", "!not a DATE"},
      {"TIME", "\"14:23:10.5\"", "\"14:23:10.500\""},
      {"TIME", "\"25:00:00\"", "!not a TIME"},
      {"INTERVAL", "\"P1DT2H\"", "\"P1DT2H\""},
      {"INTERVAL", "\"1 day\"", "!not an ISO 8601 INTERVAL"},
  });
  CheckValues({{"TIMESTAMP", "5000", "\"1970-01-01T00:00:05\""}}, Spec({{"timestamp_unit", "millis"}}));
  CheckValues({{"TIMESTAMP", "5000", "\"1970-01-01T00:00:05\""}},
              Spec({{"timestamp_format", "unix_millis"}}));
  CheckValues({{"TIMESTAMP(9)", "9223372036854775807", "!out of range"}},
              Spec({{"timestamp_unit", "seconds"}}));
}

TEST(JsonDecoder, NestedValues) {
  CheckValues({
      {"BIGINT[]", "[]", "[]"},
      {"BIGINT[]", "[1, null ,3]", "[1,null,3]"},
      {"BIGINT[][]", "[[1],[],null,[2,3]]", "[[1],[],null,[2,3]]"},
      {"BIGINT[]", "[1,\"x\"]", "!column 'v[]': 'x' is not a valid BIGINT"},
      {"BIGINT[]", "[1 2]", "!expected ',' or ']'"},
      {"BIGINT[]", "[1", "!'before' is not a valid BIGINT"},
      {"BIGINT[]", "1", "!not a valid BIGINT[]"},
      {"STRUCT<a INT, b STRUCT<c TEXT>>", R"({"a":1,"b":{"c":"x","d":[{}]}})", R"({"a":1,"b":{"c":"x"}})"},
      {"STRUCT<a INT, b STRUCT<c TEXT>>", R"({"b":null})", R"({"a":null,"b":null})"},
      {"STRUCT<a INT, b STRUCT<c TEXT>>", R"({})", R"({"a":null,"b":null})"},
      {"STRUCT<a INT, b STRUCT<c INT>>", R"({"a":1,"b":{"c":"x"}})",
       "!column 'v.b.c': 'x' is not a valid INT"},
      {"STRUCT<a INT NOT NULL>", R"({"b":1})", "!column 'v.a': is NOT NULL but the record has no such field"},
      {"STRUCT<a INT NOT NULL>", R"({"a":null})", "!column 'v.a': is NOT NULL but the record has null"},
      {"STRUCT<a INT NOT NULL>", "null", "null"},
      {"STRUCT<a INT>", "[1]", "!not a valid STRUCT"},
      {"STRUCT<a INT>[]", R"([{"a":1},null,{},{"a":2}])", R"([{"a":1},null,{"a":null},{"a":2}])"},
      {"MAP<TEXT, INT>", R"({"x":1,"y":null})", R"({"x":1,"y":null})"},
      {"MAP<TEXT, INT>", "{}", "{}"},
      {"MAP<TEXT, INT>", R"({"x":1,"y":2,"\u0078":3})", R"({"y":2,"x":3})"},
      {"MAP<INT, TEXT>", R"({"1":"a","-2":"b"})", R"({"1":"a","-2":"b"})"},
      {"MAP<INT, TEXT>", R"({"one":"a"})", "!'one' is not a valid INT"},
      {"MAP<TEXT, INT[]>", R"({"x":[1,2],"y":[]})", R"({"x":[1,2],"y":[]})"},
      {"MAP<TEXT, MAP<TEXT, INT>>", R"({"x":{"y":1,"y":2}})", R"({"x":{"y":2}})"},
      {"MAP<TEXT, INT>", R"({"x":"q"})", "!column 'v.x': 'q' is not a valid INT"},
      {"MAP<TEXT, INT>", R"({"x":1)", "!the record ends too early"},
  });
}

TEST(JsonDecoder, DuplicateKeysLastWins) {
  EXPECT_THAT(Decode("a BIGINT, b TEXT", R"({"a":1,"b":"long text here","a":2,"b":"z"})").rows,
              ElementsAre(R"({"a":2,"b":"z"})"));
  EXPECT_THAT(Decode("a STRUCT<x INT, y INT>", R"({"a":{"x":1,"y":2},"a":{"y":3}})").rows,
              ElementsAre(R"({"a":{"x":null,"y":3}})"));
  EXPECT_THAT(Decode("a INT[]", "{\"a\":[1,2],\"a\":[3]}\n{\"a\":[4]}").rows,
              ElementsAre(R"({"a":[3]})", R"({"a":[4]})"));
  EXPECT_THAT(Decode("a INT", R"({"a":1,"a":null})").rows, ElementsAre(R"({"a":null})"));
  EXPECT_THAT(Decode("a INT", R"({"a":null,"a":1})").rows, ElementsAre(R"({"a":1})"));
}

TEST(JsonDecoder, NamesMatchExactlyThenIgnoringCase) {
  EXPECT_THAT(Decode("`userId` INT",
                     "{\"USERID\":1}\n{\"userId\":2,\"USERID\":3}\n{\"USERID\":4,\"userId\":5}\n"
                     "{\"USERID\":6,\"UserId\":7}")
                  .rows,
              ElementsAre(R"({"userId":1})", R"({"userId":2})", R"({"userId":5})", R"({"userId":7})"));
  EXPECT_THAT(Decode("id INT, `ID` INT", R"({"ID":1,"id":2})").rows, ElementsAre(R"({"id":2,"ID":1})"));
  EXPECT_THAT(Decode("abc INT", R"({"\u0061bc":1})").rows, ElementsAre(R"({"abc":1})"));
}

TEST(JsonDecoder, FieldOrderMayChangeFromRecordToRecord) {
  std::string text;
  std::vector<std::string> expected;
  for (int i = 0; i < 60; ++i) {
    const std::string n = std::to_string(i);
    switch (i % 4) {
      case 0:
        text += "{\"a\":" + n + ",\"b\":" + n + "}\n";
        break;
      case 1:
        text += "{\"b\":" + n + ",\"other\":[1,{\"a\":7}],\"a\":" + n + "}\n";
        break;
      case 2:
        text += "{ \"a\" : " + n + " ,\"extra" + n + "\":\"b\" , \"b\" : " + n + " }\n";
        break;
      default:
        text += "{\"a_longer_name_than_sixteen_bytes\":1,\"b\":" + n + ",\"a\":" + n + "}\n";
        break;
    }
    expected.push_back("{\"a\":" + n + ",\"b\":" + n + "}");
  }
  EXPECT_EQ(Decode("a INT, b INT", text).rows, expected);
}

TEST(JsonDecoder, BadRecordsSpareTheirNeighbours) {
  const char* cases[] = {"{\"a\":\"unclosed}",
                         "{\"a\":1",
                         "{\"a\":{",
                         "{\"a\":[1,",
                         "{",
                         "}",
                         "[",
                         "\"",
                         "\\",
                         "\xff",
                         "{\"a\":1}}",
                         "{\"a\":1} x",
                         "{\"a\":1}{\"a\":2}",
                         "{\"a\":1},",
                         "[{\"a\":1}]",
                         "1",
                         "\"text\"",
                         "null",
                         "true",
                         "{\"a\" 1}",
                         "{\"a\":}",
                         "{\"a\":,\"b\":1}",
                         "{a:1}",
                         "{\"a\":1,}",
                         "{,}",
                         "{\"a\":1 \"b\":2}",
                         "{\"x\":[}",
                         "{\"a\":1}\\",
                         "{\"a\":1}\"",
                         "{\"x\":\"\x01\"}",
                         "{\"a\":1}\xc3",
                         "{\"a\":nope}",
                         "{\"\\q\":1}",
                         "{\"x\":{\"y\":[[[}",
                         std::string_view("{\"a\":1}\0", 8).data()};
  for (const char* bad : cases) {
    const std::string text = std::string("{\"a\":1}\n") + bad + "\n{\"a\":2}\n{\"a\":3}\n";
    const auto decoded = Decode("a INT", text);
    if (std::string(bad) == "{\"a\":1}") continue;  // the NUL case is below: C strings end there
    EXPECT_THAT(decoded.rows, ElementsAre(R"({"a":1})", R"({"a":2})", R"({"a":3})")) << bad;
    ASSERT_THAT(decoded.bad, ElementsAre(std::string(bad))) << bad;
    EXPECT_FALSE(decoded.errors[0].empty()) << bad;
  }
}

TEST(JsonDecoder, NulBytesAreBadRecords) {
  const std::string text = std::string("{\"a\":1}\n{\"a\":2}") + '\0' + "\n{\"a\":" + '\0' + "}\n{\"a\":3}";
  const auto decoded = Decode("a INT", text);
  EXPECT_THAT(decoded.rows, ElementsAre(R"({"a":1})", R"({"a":3})"));
  EXPECT_EQ(decoded.bad.size(), 2u);
}

TEST(JsonDecoder, LinesAndSpace) {
  EXPECT_THAT(Decode("a INT", "\xef\xbb\xbf{\"a\":1}\r\n\r\n  \n\n\t{\"a\":2} \r\n{\"a\":3}").rows,
              ElementsAre(R"({"a":1})", R"({"a":2})", R"({"a":3})"));
  EXPECT_TRUE(Decode("a INT", "").rows.empty());
  EXPECT_TRUE(Decode("a INT", "\n").rows.empty());
  EXPECT_TRUE(Decode("a INT", " \n \n").errors.empty());
  // A byte order mark elsewhere is garbage.
  EXPECT_EQ(Decode("a INT", "{\"a\":1}\n\xef\xbb\xbf{\"a\":2}\n").errors.size(), 1u);
  // A record does not go on in the next line.
  EXPECT_EQ(Decode("a INT", "{\"a\":1,\n\"b\":2}\n").errors.size(), 2u);
}

TEST(JsonDecoder, OneMessageMayHaveManyLines) {
  FormatSpec spec = Spec();
  spec.one_message = true;
  EXPECT_THAT(Decode("a INT, b INT", "{\n  \"a\": 1,\n  \"b\": 2\n}\n", spec).rows,
              ElementsAre(R"({"a":1,"b":2})"));
  EXPECT_EQ(Decode("a INT", "{\"a\":1}\n{\"a\":2}", spec).errors.size(), 1u);
  EXPECT_TRUE(Decode("a INT", "", spec).rows.empty());
  spec.framing = FramingMethod::kNewline;
  EXPECT_THAT(Decode("a INT", "{\"a\":1}\n{\"a\":2}", spec).rows, ElementsAre(R"({"a":1})", R"({"a":2})"));
}

TEST(JsonDecoder, ManyMessagesAtOnce) {
  FormatSpec spec = Spec();
  spec.one_message = true;
  const Schema columns = Columns("a INT");
  auto decoder = Json().make_decoder(spec, columns);
  const std::vector<std::string_view> messages = {"{\"a\":1}",   "",          "{\"a\":\"x", "{\n\"a\":2}",
                                                  "{\"a\":3}\"", "{\"a\":4}", "{\"a\":5}"};
  std::vector<int32_t> row_messages;
  DecodeResult result = decoder->DecodeMessages(messages, 100, &row_messages);
  EXPECT_THAT(Rows(result.batch, columns),
              ElementsAre(R"({"a":1})", R"({"a":2})", R"({"a":4})", R"({"a":5})"));
  EXPECT_THAT(row_messages, ElementsAre(0, 3, 5, 6));
  EXPECT_EQ(result.consumed, 7);
  ASSERT_EQ(result.bad.size(), 2u);
  EXPECT_EQ(result.bad[0].position, 2);
  EXPECT_EQ(result.bad[0].bytes.data(), messages[2].data());
  EXPECT_EQ(result.bad[1].position, 4);

  result = decoder->DecodeMessages(messages, 2, &row_messages);
  EXPECT_LE(result.batch.num_rows, 2);
  EXPECT_LT(result.consumed, 7);
  EXPECT_EQ(decoder->DecodeMessages({}, 10, &row_messages).batch.num_rows, 0);
}

TEST(JsonDecoder, RowsMaxIsKept) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "{\"a\":" + std::to_string(i) + "}\n";
  for (int64_t rows_max : {1, 7, 499, 500, 501}) {
    const auto decoded = Decode("a INT", text, Spec(), rows_max);
    ASSERT_EQ(decoded.rows.size(), 500u) << rows_max;
    EXPECT_EQ(decoded.rows.back(), "{\"a\":499}");
  }
}

TEST(JsonDecoder, BlocksOfAnyLengthReadTheSame) {
  // The end of the block decides which lines are copied for padding; every cut must give the same rows.
  std::string text;
  for (int i = 0; i < 300; ++i) {
    text += "{\"a\":" + std::to_string(i * 7919) + ",\"b\":\"" +
            std::string(static_cast<size_t>(i % 90), 'x') + "\"}\n";
  }
  for (size_t end = text.size() - 300; end < text.size(); ++end) {
    const std::string block = text.substr(0, end);  // an own allocation: the sanitizer sees reads behind it
    const auto decoded = Decode("a INT, b TEXT", block);
    EXPECT_GE(decoded.rows.size(), 290u);
    EXPECT_LE(decoded.errors.size(), 1u);
  }
}

TEST(JsonDecoder, HugeThings) {
  const std::string key(65536, 'k');
  EXPECT_THAT(Decode("a INT", "{\"" + key + "\":1,\"a\":2,\"" + key + "\":[1]}").rows,
              ElementsAre(R"({"a":2})"));
  EXPECT_EQ(Decode("`" + key + "` INT", "{\"" + key + "\":1}").rows.size(), 1u);

  const std::string deep = std::string(1000, '[') + std::string(1000, ']');
  EXPECT_THAT(Decode("a INT", "{\"x\":" + deep + ",\"a\":1}").rows, ElementsAre(R"({"a":1})"));
  EXPECT_THAT(Decode("a JSON", "{\"a\":" + deep + "}").rows, ElementsAre("{\"a\":" + deep + "}"));
  const std::string deeper = std::string(5000, '[') + std::string(5000, ']');
  EXPECT_THAT(Decode("a INT", "{\"x\":" + deeper + "}").errors, ElementsAre(HasSubstr("deeper than 1024")));
  EXPECT_THAT(Decode("a JSON", "{\"a\":" + deeper + "}").errors, ElementsAre(HasSubstr("deeper than 1024")));

  // A line far longer than the pieces that are indexed at once, between short ones.
  const std::string text = "{\"b\":1}\n{\"a\":\"" + std::string(5 << 20, 'y') + "\",\"b\":2}\n{\"b\":3}\n";
  const Schema columns = Columns("a TEXT, b INT");
  auto decoder = Json().make_decoder(Spec(), columns);
  const DecodeResult result = decoder->Decode(text, 100);
  EXPECT_EQ(result.batch.num_rows, 3);
  EXPECT_EQ(static_cast<const arrow::StringArray&>(*result.batch.columns[0]).value_length(1), 5 << 20);
}

TEST(JsonDecoder, ALineOf100Megabytes) {
  std::string text = "{\"b\":1}\n{\"a\":\"";
  text.append(100'000'000, 'y');
  text += "\",\"b\":2}\n{\"b\":3}\n";
  auto decoder = Json().make_decoder(Spec(), Columns("b INT"));
  int64_t rows = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const DecodeResult result = decoder->Decode(rest, 100);
    rows += result.batch.num_rows;
    rest.remove_prefix(static_cast<size_t>(result.consumed));
  }
  EXPECT_EQ(rows, 3);
}

TEST(JsonDecoder, LongLinesAreBadWhenLimited) {
  FormatSpec spec = Spec();
  spec.framing = FramingMethod::kNewline;
  spec.line_bytes_max = 20;
  const auto decoded = Decode("a INT", "{\"a\":1}\n{\"a\":2,\"pad\":\"xxxxxxxxxx\"}\n{\"a\":3}\n", spec);
  EXPECT_THAT(decoded.rows, ElementsAre(R"({"a":1})", R"({"a":3})"));
  EXPECT_THAT(decoded.errors, ElementsAre(HasSubstr("more than the limit of 20")));
}

TEST(JsonDecoder, NotNullColumns) {
  const auto decoded =
      Decode("id BIGINT NOT NULL, a INT", "{\"id\":1}\n{\"a\":2}\n{\"id\":null}\n{\"id\":3,\"a\":4}\n");
  EXPECT_THAT(decoded.rows, ElementsAre(R"({"id":1,"a":null})", R"({"id":3,"a":4})"));
  EXPECT_THAT(decoded.errors, ElementsAre("column 'id': is NOT NULL but the record has no such field",
                                          "column 'id': is NOT NULL but the record has null"));
}

TEST(JsonDecoder, NullStructsLeaveTheirChildrenNull) {
  const Schema columns = Columns("s STRUCT<a INT, t STRUCT<b TEXT, c INT[]>>");
  auto decoder = Json().make_decoder(Spec(), columns);
  const DecodeResult result = decoder->Decode(
      "{\"s\":null}\n{}\n{\"s\":{\"a\":1,\"t\":{\"b\":\"x\",\"c\":[1,2]}}}\n{\"s\":null}\n{\"s\":{\"t\":null}"
      "}\n{\"s\":null}\n",
      100);
  ASSERT_EQ(result.batch.num_rows, 6);
  const auto& s = static_cast<const arrow::StructArray&>(*result.batch.columns[0]);
  EXPECT_TRUE(s.ValidateFull().ok());
  EXPECT_EQ(s.null_count(), 4);
  EXPECT_EQ(s.field(0)->null_count(), 5);
  EXPECT_EQ(s.field(1)->null_count(), 5);
  EXPECT_THAT(Rows(result.batch, columns)[2], R"({"s":{"a":1,"t":{"b":"x","c":[1,2]}}})");
}

TEST(JsonDecoder, NoColumnsCountRows) {
  auto decoder = Json().make_decoder(Spec(), Schema{});
  const DecodeResult result = decoder->Decode("{\"a\":1}\n{}\n{\"a\":\n{\"b\":{\"c\":[]}}\n", 100);
  EXPECT_EQ(result.batch.num_rows, 3);
  EXPECT_EQ(result.bad.size(), 1u);
}

TEST(JsonDecoder, ADecoderIsReusedForManyBlocks) {
  const Schema columns = Columns("a BIGINT, s STRUCT<t TEXT>, l INT[]");
  auto decoder = Json().make_decoder(Spec(), columns);
  std::vector<Batch> kept;
  for (int i = 0; i < 50; ++i) {
    const std::string n = std::to_string(i);
    std::string text;
    for (int k = 0; k <= i; ++k) {
      text += "{\"a\":" + n + ",\"s\":{\"t\":\"" + n + "\"},\"l\":[" + n + "]}\n";
      if (k % 3 == 0) text += "{\"a\":" + n + ",\"s\":{\"t\":\"bad\"},\"l\":[1,2,\"x\"]}\n";
    }
    kept.push_back(decoder->Decode(text, 1000).batch);
  }
  for (int i = 0; i < 50; ++i) {
    const std::string n = std::to_string(i);
    const auto rows = Rows(kept[static_cast<size_t>(i)], columns);
    ASSERT_EQ(rows.size(), static_cast<size_t>(i + 1));
    for (const auto& row : rows)
      ASSERT_EQ(row, "{\"a\":" + n + ",\"s\":{\"t\":\"" + n + "\"},\"l\":[" + n + "]}");
  }
}

TEST(JsonDecoder, Unstructured) {
  const auto decoded = Decode("value JSON", "{\"a\": 1}\n[1,2] \n\"x\"\n{\"a\":tru}\n{\"a\":1}{}\n",
                              Spec({{"unstructured", "true"}}));
  EXPECT_THAT(decoded.rows, ElementsAre(R"({"value":{"a": 1}})", R"({"value":[1,2]})", R"({"value":"x"})"));
  EXPECT_EQ(decoded.errors.size(), 2u);
  EXPECT_EQ(Json().fixed_schema(Spec({{"unstructured", "true"}})).ToString(), "value JSON");
  EXPECT_EQ(Json().fixed_schema(Spec()).num_columns(), 0);
  EXPECT_THROW(Json().make_decoder(Spec({{"unstructured", "true"}}), Columns("a INT")), UserError);
}

TEST(JsonDecoder, SchemaRegistryPrefixIsStripped) {
  FormatSpec spec = Spec({{"confluent_schema_registry", "true"}});
  spec.one_message = true;
  EXPECT_THAT(Decode("a INT", std::string("\0\0\0\0\x07{\"a\":1}", 12), spec).rows,
              ElementsAre(R"({"a":1})"));
}

TEST(JsonFormat, RefusesBadOptions) {
  for (auto& options : std::vector<std::map<std::string, std::string>>{{{"timestamp_format", "local"}},
                                                                       {{"timestamp_unit", "days"}},
                                                                       {{"decimal_encoding", "text"}},
                                                                       {{"unstructured", "maybe"}}}) {
    try {
      Json().make_decoder(Spec(options), Columns("value JSON"));
      ADD_FAILURE() << options.begin()->first;
    } catch (const UserError& error) {
      EXPECT_EQ(error.reason(), Reason::kBadOption);
      EXPECT_THAT(error.message(),
                  HasSubstr("'json." + options.begin()->first + "' is '" + options.begin()->second + "'"));
    }
  }
  const FormatSpec spec = Spec({{"timestamp_format", "rfc3339"}, {"nonsense", "1"}});
  Json().make_decoder(spec, Columns("a INT"));
  EXPECT_TRUE(spec.options.at("timestamp_format").used);
  EXPECT_FALSE(spec.options.at("nonsense").used);
}

}  // namespace
}  // namespace laminar
