#include "formats/format_test_support.h"

namespace laminar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Raw, LinesOfAFileAreRows) {
  EXPECT_THAT(
      DecodeAll("raw_string", "value TEXT", "a b\r\n\n\xc3\xa9\nlast").rows,
      ElementsAre(R"({"value":"a b"})", R"({"value":""})", "{\"value\":\"\u00e9\"}", R"({"value":"last"})"));
  EXPECT_TRUE(DecodeAll("raw_string", "value TEXT", "").rows.empty());
  EXPECT_EQ(DecodeAll("raw_string", "value TEXT", "x\n").rows.size(), 1u);
  EXPECT_EQ(DecodeAll("raw_string", "", "x\ny\n").rows.size(), 2u);
}

TEST(Raw, AMessageIsOneRow) {
  FormatSpec spec = Spec();
  spec.one_message = true;
  EXPECT_THAT(DecodeAll("raw_string", "value TEXT", "a\nb\n", spec).rows,
              ElementsAre(R"({"value":"a\nb\n"})"));
  EXPECT_THAT(DecodeAll("raw_string", "value TEXT", "", spec).rows, ElementsAre(R"({"value":""})"));
  EXPECT_THAT(DecodeAll("raw_bytes", "value BYTEA", std::string_view("\0\xff", 2), spec).rows,
              ElementsAre(R"({"value":"AP8="})"));
  spec.framing = FramingMethod::kNewline;
  EXPECT_EQ(DecodeAll("raw_string", "value TEXT", "a\nb\n", spec).rows.size(), 2u);
}

TEST(Raw, TextMustBeUtf8) {
  const auto decoded = DecodeAll("raw_string", "value TEXT", "a\n\xff\nb\n");
  EXPECT_THAT(decoded.rows, ElementsAre(R"({"value":"a"})", R"({"value":"b"})"));
  EXPECT_THAT(decoded.errors, ElementsAre(HasSubstr("invalid UTF-8")));
  EXPECT_TRUE(DecodeAll("raw_bytes", "value BYTEA", "a\n\xff\nb\n").errors.empty());
}

TEST(Raw, RowsMaxAndMessages) {
  std::string text;
  for (int i = 0; i < 100; ++i) text += std::to_string(i) + "\n";
  EXPECT_EQ(DecodeAll("raw_string", "value TEXT", text, Spec(), 7).rows.size(), 100u);
  FormatSpec spec = Spec();
  spec.one_message = true;
  auto decoder = FormatOf("raw").make_decoder(spec, Columns("v TEXT"));
  std::vector<int32_t> row_messages;
  const DecodeResult result = decoder->DecodeMessages({"a", "\xff", "c", "d"}, 2, &row_messages);
  EXPECT_THAT(row_messages, ElementsAre(0, 2));
  EXPECT_EQ(result.consumed, 3);
  EXPECT_EQ(result.bad[0].position, 1);
}

TEST(Raw, LongLinesAreBadWhenLimited) {
  FormatSpec spec = Spec();
  spec.line_bytes_max = 3;
  EXPECT_THAT(DecodeAll("raw_string", "value TEXT", "abc\nabcd\n", spec).errors,
              ElementsAre(HasSubstr("limit of 3")));
}

TEST(Raw, Encodes) {
  const Schema columns = Columns("v TEXT");
  const Batch batch = BatchOf(columns, "{\"v\":\"a\"}\n{\"v\":null}\n{\"v\":\"b\\nc\"}\n");
  EXPECT_THAT(Encoded("raw_string", batch, columns), ElementsAre("a", "", "b\nc"));
  EXPECT_THAT(Encoded("raw", Slice(batch, 2, 1), columns), ElementsAre("b\nc"));
}

TEST(Raw, RefusesOtherColumns) {
  EXPECT_THROW(FormatOf("raw_string").make_decoder(Spec(), Columns("v INT")), UserError);
  EXPECT_THROW(FormatOf("raw_bytes").make_decoder(Spec(), Columns("v TEXT")), UserError);
  EXPECT_THROW(FormatOf("raw").make_decoder(Spec(), Columns("a TEXT, b TEXT")), UserError);
  EXPECT_THROW(FormatOf("raw").make_encoder(Spec(), Columns("a BIGINT")), UserError);
  EXPECT_EQ(FormatOf("raw_bytes").fixed_schema(Spec()).ToString(), "value BYTEA");
  EXPECT_EQ(FormatOf("raw").infer(Spec(), "abc").ToString(), "value TEXT");
  EXPECT_EQ(FormatOf("raw").infer(Spec(), "\xff").ToString(), "value BYTEA");
}

TEST(FormatRegistry, FindsByAnySpelling) {
  FormatRegistry registry;
  RegisterAllFormats(registry);
  EXPECT_EQ(registry.Find("Debezium-JSON")->names[0], "debezium_json");
  EXPECT_EQ(registry.Find("RAW_STRING")->names[0], "raw_string");
  EXPECT_EQ(registry.Find("orc"), nullptr);
  EXPECT_THAT(registry.names(),
              ElementsAre("csv", "debezium_json", "json", "parquet", "raw", "raw_bytes", "raw_string"));
}

}  // namespace
}  // namespace laminar
