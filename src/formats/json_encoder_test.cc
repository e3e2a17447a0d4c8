#include "formats/json_encoder.h"

#include <arrow/builder.h>

#include <cmath>
#include <limits>

#include "base/arrow_result.h"
#include "formats/format_test_support.h"

namespace laminar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::vector<std::string> Encode(const std::string& schema, const std::string& lines,
                                const FormatSpec& spec = Spec()) {
  const Schema columns = Columns(schema);
  return Encoded("json", BatchOf(columns, lines), columns, spec);
}

template <typename Builder, typename T>
std::shared_ptr<arrow::Array> ArrayOf(const std::vector<T>& values) {
  Builder builder;
  for (const T& value : values) OrThrow(builder.Append(value));
  return OrThrow(builder.Finish());
}

TEST(JsonEncoder, EveryTypeReadsBackTheSame) {
  const char* cases[][2] = {
      {"BOOLEAN", "true"},
      {"TINYINT", "-128"},
      {"SMALLINT", "32767"},
      {"INT", "-2147483648"},
      {"BIGINT", "-9223372036854775808"},
      {"TINYINT UNSIGNED", "255"},
      {"SMALLINT UNSIGNED", "65535"},
      {"INT UNSIGNED", "4294967295"},
      {"BIGINT UNSIGNED", "18446744073709551615"},
      {"FLOAT", "3.4028235e38"},
      {"DOUBLE", "5e-324"},
      {"DECIMAL(38,10)", "-1234567890123456789012345678.0123456789"},
      {"DECIMAL(5,5)", "0.00001"},
      {"TEXT", R"("q\"b\\ \u0001\n\t\r\b\f/é😀")"},
      {"TEXT", "\"0123456789abcdef\\\"0123456789abcdef0123456789abcdef\\\\\""},
      {"BYTEA", "\"AAECAw==\""},
      {"DATE", "\"-0044-03-15\""},
      {"TIME", "\"00:00:00.000000001\""},
      {"TIMESTAMP", "\"1969-12-31T23:59:59.999999\""},
      {"TIMESTAMP(9)", "\"2262-04-11T23:47:16.854775807\""},
      {"TIMESTAMPTZ", "\"2023-09-18T14:23:10.500Z\""},
      {"INTERVAL", "\"P1Y2M3DT4H5M6.700S\""},
      {"JSON", R"({"a":[1,2.50,"x"]})"},
      {"TEXT[]", R"(["a",null,""])"},
      {"MAP<TEXT, BIGINT[]>", R"({"a":[1],"b":null,"c":[]})"},
      {"STRUCT<z INT, a STRUCT<y TEXT>>", R"({"z":1,"a":{"y":null}})"},
  };
  for (const auto& [type, value] : cases) {
    const std::string row = std::string("{\"v\":") + value + "}";
    EXPECT_THAT(Encode(std::string("v ") + type, row + "\n{}\n"), ElementsAre(row, "{\"v\":null}")) << type;
  }
}

TEST(JsonEncoder, FloatingPointText) {
  const std::pair<double, const char*> doubles[] = {{0.0, "0.0"},
                                                    {-0.0, "-0.0"},
                                                    {1.0, "1.0"},
                                                    {100000.0, "100000.0"},
                                                    {1e15, "1000000000000000.0"},
                                                    {1e16, "1e16"},
                                                    {1.5e16, "1.5e16"},
                                                    {0.00001, "0.00001"},
                                                    {0.000001, "1e-6"},
                                                    {123.456, "123.456"},
                                                    {-2.5e-10, "-2.5e-10"},
                                                    {0.1 + 0.2, "0.30000000000000004"},
                                                    {1.7976931348623157e308, "1.7976931348623157e308"},
                                                    {9007199254740993.0, "9007199254740992.0"},
                                                    {NAN, "null"},
                                                    {INFINITY, "null"},
                                                    {-INFINITY, "null"}};
  const Schema columns = Columns("d DOUBLE");
  for (const auto& [value, text] : doubles) {
    Batch batch;
    batch.num_rows = 1;
    batch.columns = {ArrayOf<arrow::DoubleBuilder>(std::vector<double>{value})};
    EXPECT_THAT(Encoded("json", batch, columns), ElementsAre(std::string("{\"d\":") + text + "}"));
  }
  const Schema narrow = Columns("f FLOAT");
  Batch batch;
  batch.num_rows = 2;
  batch.columns = {ArrayOf<arrow::FloatBuilder>(std::vector<float>{0.1f, 16777216.0f})};
  EXPECT_THAT(Encoded("json", batch, narrow), ElementsAre("{\"f\":0.1}", "{\"f\":16777216.0}"));
}

TEST(JsonEncoder, SlicedArrays) {
  const Schema columns =
      Columns("b BOOLEAN, i INT, t TEXT, l INT[], m MAP<TEXT, INT>, s STRUCT<x INT, y TEXT[]>");
  std::string lines;
  for (int i = 0; i < 20; ++i) {
    const std::string n = std::to_string(i);
    lines += i % 5 == 4 ? "{}\n"
                        : "{\"b\":" + std::string(i % 2 ? "true" : "false") + ",\"i\":" + n + ",\"t\":\"" +
                              n + "\",\"l\":[" + n + "],\"m\":{\"" + n + "\":" + n + "},\"s\":{\"x\":" + n +
                              ",\"y\":[\"" + n + "\"]}}\n";
  }
  const Batch batch = BatchOf(columns, lines);
  const auto all = Rows(batch, columns);
  for (int64_t offset = 0; offset < 20; ++offset) {
    for (int64_t length = 0; length <= 20 - offset; length += 3) {
      const std::vector<std::string> expected(all.begin() + offset, all.begin() + offset + length);
      ASSERT_EQ(Rows(Slice(batch, offset, length), columns), expected) << offset << "+" << length;
    }
  }
}

TEST(JsonEncoder, TimestampFormats) {
  const std::string lines = "{\"ts\":\"1969-12-31T23:59:59.999999\"}\n";
  const std::pair<const char*, const char*> cases[] = {{"rfc3339", "\"1969-12-31T23:59:59.999999\""},
                                                       {"iso8601", "\"1969-12-31T23:59:59.999999\""},
                                                       {"unix_seconds", "-1"},
                                                       {"unix_millis", "-1"},
                                                       {"unix_micros", "-1"},
                                                       {"unix_nanos", "-1000"}};
  for (const auto& [format, text] : cases) {
    EXPECT_THAT(Encode("ts TIMESTAMP", lines, Spec({{"timestamp_format", format}})),
                ElementsAre(std::string("{\"ts\":") + text + "}"))
        << format;
  }
  // JSON numbers have no width.
  EXPECT_THAT(Encode("ts TIMESTAMP", "{\"ts\":\"9999-12-31T00:00:00\"}\n",
                     Spec({{"timestamp_format", "unix_nanos"}})),
              ElementsAre("{\"ts\":253402214400000000000}"));
}

TEST(JsonEncoder, DecimalEncodings) {
  const std::string lines = "{\"d\":-12.34}\n{\"d\":0}\n{\"d\":327.68}\n";
  EXPECT_THAT(Encode("d DECIMAL(10,2)", lines, Spec({{"decimal_encoding", "string"}})),
              ElementsAre(R"({"d":"-12.34"})", R"({"d":"0.00"})", R"({"d":"327.68"})"));
  EXPECT_THAT(Encode("d DECIMAL(10,2)", lines, Spec({{"decimal_encoding", "bytes"}})),
              ElementsAre(R"({"d":"+y4="})", R"({"d":"AA=="})", R"({"d":"AIAA"})"));
}

TEST(JsonEncoder, NamesAreEscaped) {
  EXPECT_THAT(Encode("`a\"b\\c` INT, s STRUCT<`x\ny` INT>", R"({"a\"b\\c":1,"s":{"x\ny":2}})"),
              ElementsAre(R"({"a\"b\\c":1,"s":{"x\ny":2}})"));
}

TEST(JsonEncoder, JsonOfManyLinesIsWrittenAsOne) {
  FormatSpec spec = Spec();
  spec.one_message = true;
  const Schema columns = Columns("j JSON");
  const Batch batch =
      FormatOf("json").make_decoder(spec, columns)->Decode("{\"j\":{\r\n \"a\": \"x\\n\"\n}}", 1).batch;
  EXPECT_THAT(Encoded("json", batch, columns), ElementsAre("{\"j\":{   \"a\": \"x\\n\" }}"));
}

TEST(JsonEncoder, EmptyBatchesAndNoColumns) {
  const Schema columns = Columns("a INT");
  EXPECT_TRUE(Encoded("json", EmptyBatch(columns), columns).empty());
  Batch rows;
  rows.num_rows = 2;
  EXPECT_THAT(Encoded("json", rows, Schema{}), ElementsAre("{}", "{}"));
}

TEST(JsonEncoder, IncludesAConnectSchema) {
  const auto rows = Encode("id BIGINT NOT NULL, v TEXT, l INT[]", "{\"id\":1,\"v\":\"x\",\"l\":[2]}\n",
                           Spec({{"include_schema", "true"}}));
  EXPECT_THAT(
      rows,
      ElementsAre(
          R"({"schema":{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"},)"
          R"({"type":"string","optional":true,"field":"v"},)"
          R"({"type":"array","items":{"type":"int32","optional":true},"optional":true,"field":"l"}],"optional":false},)"
          R"("payload":{"id":1,"v":"x","l":[2]}})"));
  try {
    FormatOf("json").make_encoder(Spec({{"confluent_schema_registry", "true"}}), Columns("a INT"));
    FAIL();
  } catch (const UserError& error) {
    EXPECT_THAT(error.message(), HasSubstr("json.confluent_schema_registry"));
  }
}

TEST(JsonInfer, Types) {
  const auto infer = [](const std::string& sample) {
    return FormatOf("json").infer(Spec(), sample).ToString();
  };
  EXPECT_EQ(infer("{\"b\":1,\"a\":1.5}\n{\"c\":\"x\",\"b\":2,\"a\":3}\n"), "b BIGINT, a DOUBLE, c TEXT");
  EXPECT_EQ(infer("{\"i\":1}\n{\"i\":2.5}\n{\"i\":null}\n"), "i DOUBLE");
  EXPECT_EQ(infer("{\"i\":18446744073709551615}\n"), "i DOUBLE");
  EXPECT_EQ(infer("{\"t\":\"2023-09-18T14:23:10Z\"}\n{\"t\":\"2023-09-18 14:23:10.5\"}\n"), "t TIMESTAMP");
  EXPECT_EQ(infer("{\"t\":\"2023-09-18T14:23:10Z\"}\n{\"t\":\"soon\"}\n"), "t TEXT");
  EXPECT_EQ(infer("{\"t\":\"2023-09-18\"}\n"), "t TEXT");
  EXPECT_EQ(infer("{\"s\":{\"y\":null,\"x\":1}}\n{\"s\":{\"y\":\"a\",\"x\":2}}\n"),
            "s STRUCT<y TEXT, x BIGINT>");
  EXPECT_EQ(infer("{\"s\":{\"x\":1}}\n{\"s\":{\"y\":\"a\",\"x\":2}}\n"), "s JSON");
  EXPECT_EQ(infer("{\"l\":[]}\n{\"l\":[1,2.5]}\n"), "l DOUBLE[]");
  EXPECT_EQ(infer("{\"l\":[]}\n"), "l JSON[]");
  EXPECT_EQ(infer("{\"l\":[{\"a\":1},{\"b\":true}]}\n"), "l JSON[]");
  EXPECT_EQ(infer("{\"m\":1}\n{\"m\":\"x\"}\n"), "m JSON");
  EXPECT_EQ(infer("{\"m\":[1]}\n{\"m\":{\"a\":1}}\n"), "m JSON");
  EXPECT_EQ(infer("{\"n\":null,\"o\":{}}\n"), "n JSON, o JSON");
  EXPECT_EQ(infer("\xef\xbb\xbf{\"a\":1}\nnot json\n[1]\n{\"b\":\"cut o"), "a BIGINT");
  EXPECT_EQ(infer(""), "");
  EXPECT_EQ(FormatOf("json").infer(Spec({{"unstructured", "true"}}), "{\"a\":1}").ToString(), "value JSON");
  FormatSpec one = Spec();
  one.one_message = true;
  EXPECT_EQ(FormatOf("json").infer(one, "{\n\"a\":1\n}").ToString(), "a BIGINT");
}

}  // namespace
}  // namespace laminar
