#include "formats/changes.h"
#include "formats/format_test_support.h"

namespace laminar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Decoded Decode(const std::string& schema, std::string_view text, const FormatSpec& spec = Spec(),
               int64_t rows_max = 1000) {
  return DecodeAll("debezium_json", schema, text, spec, rows_max);
}

TEST(DebeziumDecoder, EachOperation) {
  const auto decoded =
      Decode("id INT, v TEXT",
             R"({"before":null,"after":{"id":1,"v":"a"},"op":"c","ts_ms":1,"source":{"db":"x"}}
{"before":null,"after":{"id":2,"v":"b"},"op":"r"}
{"before":{"id":1,"v":"a"},"after":{"id":1,"v":"c"},"op":"u"}
{"before":{"id":2,"v":"b"},"after":null,"op":"d"}
{"before":null,"after":null,"op":"t"}
)");
  EXPECT_THAT(decoded.rows, ElementsAre(R"({"id":1,"v":"a"})", R"({"id":2,"v":"b"})", R"(-{"id":1,"v":"a"})",
                                        R"({"id":1,"v":"c"})", R"(-{"id":2,"v":"b"})"));
  EXPECT_THAT(decoded.errors, IsEmpty());
}

TEST(DebeziumDecoder, WithAndWithoutSchemaEnvelopeMixed) {
  const auto decoded = Decode(
      "id INT, s STRUCT<x INT, y TEXT>",
      R"({"schema":{"type":"struct"},"payload":{"before":null,"after":{"id":1,"s":{"x":5,"y":"p"}},"op":"c"}}
{"before":null,"after":{"id":2,"s":null},"op":"c"}
{"schema":null,"payload":{"before":{"id":1,"s":{"x":5,"y":"p"}},"after":{"id":1,"s":{"x":6}},"op":"u"}}
)");
  EXPECT_THAT(decoded.rows,
              ElementsAre(R"({"id":1,"s":{"x":5,"y":"p"}})", R"({"id":2,"s":null})",
                          R"(-{"id":1,"s":{"x":5,"y":"p"}})", R"({"id":1,"s":{"x":6,"y":null}})"));
}

TEST(DebeziumDecoder, PassesOverWhatIsNoChange) {
  const auto decoded =
      Decode("id INT",
             "null\n{\"schema\":{},\"payload\":null}\n{\"ts_ms\":5}\n{\"payload\":{\"ts_ms\":5}}\n"
             "{\"status\":\"BEGIN\",\"id\":\"1\"}\n\n");
  EXPECT_THAT(decoded.rows, IsEmpty());
  EXPECT_THAT(decoded.errors, IsEmpty());
}

TEST(DebeziumDecoder, ChangesWithoutTheOldRowAreMarked) {
  FormatSpec spec = Spec();
  spec.primary_key = {0};
  auto decoder = FormatOf("debezium_json").make_decoder(spec, Columns("id INT NOT NULL, k INT NOT NULL"));
  const DecodeResult read = decoder->Decode(
      R"({"after":{"id":1,"k":2},"op":"u"}
{"before":{"id":1},"after":{"id":3,"k":2},"op":"u"}
{"before":{"id":3},"op":"d"}
{"before":{"id":3,"k":2},"op":"d"}
{"before":{"k":2},"op":"d"}
)",
      10);
  EXPECT_EQ(read.bad.size(), 1u);  // no key
  ASSERT_EQ(read.batch.num_rows, 5);
  std::vector<int32_t> weights;
  for (int64_t row = 0; row < 5; ++row) weights.push_back(read.batch.weight(row));
  EXPECT_THAT(weights, ElementsAre(kWithoutOldRow, -kWithoutOldRow, kWithoutOldRow, -kWithoutOldRow, -1));
}

TEST(DebeziumDecoder, BadRecords) {
  struct Case {
    const char* record;
    const char* error;
  };
  const Case cases[] = {
      {R"({"after":{"id":1,"k":2},"op":"x"})", "'op' is 'x', but must be c, r, u, d or t"},
      {R"({"after":{"id":1,"k":2}})", "no 'op'"},
      {R"({"before":null,"after":null,"op":"c"})", "there is no 'after'"},
      {R"({"before":null,"after":{"id":1,"k":2},"op":"u"})",
       "there is no 'before'; let the origin send whole old rows"},
      {R"({"after":null,"op":"d"})", "REPLICA IDENTITY FULL"},
      {R"({"before":{"id":1},"after":null,"op":"d"})", "'before' lacks column 'k', which is NOT NULL"},
      {R"({"before":null,"after":{"id":1},"op":"c"})", "column 'after.k': is NOT NULL"},
      {R"({"before":null,"after":{"id":"x","k":1},"op":"c"})", "column 'after.id': 'x' is not a valid INT"},
      {R"({"before":null,"after":5,"op":"c"})", "column 'after'"},
      {R"({"before":)", "too early"},
      {R"([])", "must be a JSON object"},
      {R"("null")", "must be a JSON object"},
  };
  for (const Case& c : cases) {
    const std::string good = "{\"before\":null,\"after\":{\"id\":7,\"k\":7},\"op\":\"c\"}\n";
    const auto decoded = Decode("id INT, k INT NOT NULL", good + c.record + "\n" + good);
    EXPECT_EQ(decoded.rows.size(), 2u) << c.record;
    EXPECT_THAT(decoded.errors, ElementsAre(HasSubstr(c.error))) << c.record;
    EXPECT_THAT(decoded.bad, ElementsAre(c.record));
  }
}

TEST(DebeziumDecoder, BadRecordsComeInOrder) {
  const auto decoded = Decode("id INT", "{\"op\":\"x\"}\n{\n{\"after\":{},\"op\":\"y\"}\n{\"op\":\n");
  EXPECT_THAT(decoded.bad, ElementsAre("{\"op\":\"x\"}", "{", "{\"after\":{},\"op\":\"y\"}", "{\"op\":"));
}

TEST(DebeziumDecoder, OriginsTypes) {
  EXPECT_THAT(Decode("d DECIMAL(10,2), ts TIMESTAMP, day DATE",
                     "{\"after\":{\"d\":\"BNI=\",\"ts\":1695046990123,\"day\":19618},\"op\":\"c\"}\n"
                     "{\"after\":{\"d\":12.34,\"ts\":1695046990123456,\"day\":\"2023-09-18\"},\"op\":\"c\"}\n"
                     "{\"after\":{\"ts\":\"2023-09-18T14:23:10Z\"},\"op\":\"c\"}\n")
                  .rows,
              ElementsAre(R"({"d":12.34,"ts":"2023-09-18T14:23:10.123","day":"2023-09-18"})",
                          R"({"d":12.34,"ts":"2023-09-18T14:23:10.123456","day":"2023-09-18"})",
                          R"({"d":null,"ts":"2023-09-18T14:23:10","day":null})"));
}

TEST(DebeziumDecoder, MessagesAndRowsMax) {
  FormatSpec spec = Spec();
  spec.one_message = true;
  const Schema columns = Columns("id INT");
  auto decoder = FormatOf("debezium_json").make_decoder(spec, columns);
  std::vector<int32_t> row_messages;
  const std::vector<std::string_view> messages = {
      R"({"after":{"id":1},"op":"c"})", "", "null", R"({"op":"q"})",
      "{\"before\":{\"id\":1},\n\"after\":{\"id\":2},\"op\":\"u\"}"};
  const DecodeResult result = decoder->DecodeMessages(messages, 100, &row_messages);
  EXPECT_THAT(Rows(result.batch, columns), ElementsAre(R"({"id":1})", R"(-{"id":1})", R"({"id":2})"));
  EXPECT_THAT(row_messages, ElementsAre(0, 4, 4));
  ASSERT_EQ(result.bad.size(), 1u);
  EXPECT_EQ(result.bad[0].position, 3);

  std::string text;
  for (int i = 0; i < 20; ++i) text += "{\"before\":{\"id\":1},\"after\":{\"id\":2},\"op\":\"u\"}\n";
  EXPECT_EQ(Decode("id INT", text, Spec(), 5).rows.size(), 40u);
}

TEST(DebeziumDecoder, InsertsAloneHaveNoWeights) {
  auto decoder = FormatOf("debezium_json").make_decoder(Spec(), Columns("id INT"));
  EXPECT_EQ(decoder->Decode("{\"after\":{\"id\":1},\"op\":\"c\"}\n", 10).batch.weights, nullptr);
  const Batch none = decoder->Decode("", 10).batch;
  EXPECT_EQ(none.num_rows, 0);
  EXPECT_EQ(none.columns.size(), 1u);
}

TEST(DebeziumDecoder, CountsRowsWithoutColumns) {
  auto decoder = FormatOf("debezium_json").make_decoder(Spec(), Schema{});
  const Batch batch =
      decoder->Decode("{\"after\":{\"id\":1},\"op\":\"c\"}\n{\"before\":{\"id\":1},\"op\":\"d\"}\n", 10)
          .batch;
  ASSERT_EQ(batch.num_rows, 2);
  EXPECT_EQ(batch.weight(0), 1);
  EXPECT_EQ(batch.weight(1), -1);
}

TEST(DebeziumEncoder, ChangesAndUpdates) {
  const Schema columns = Columns("id INT, v TEXT, ts TIMESTAMP");
  Batch batch = BatchOf(columns,
                        "{\"id\":1,\"v\":\"a\",\"ts\":\"1970-01-01T00:00:01.5\"}\n{\"id\":1,\"v\":\"a\"}\n{"
                        "\"id\":1,\"v\":\"b\"}\n"
                        "{\"id\":2,\"v\":\"c\"}\n{\"id\":3,\"v\":\"d\"}\n{\"id\":3,\"v\":\"d\"}\n");
  batch.weights = MakeWeights({1, -1, 1, -1, 1, -1});
  FormatSpec spec = Spec();
  spec.primary_key = {0};
  EXPECT_THAT(
      Encoded("debezium_json", batch, columns, spec),
      ElementsAre(R"({"before":null,"after":{"id":1,"v":"a","ts":1500},"op":"c"})",
                  R"({"before":{"id":1,"v":"a","ts":null},"after":{"id":1,"v":"b","ts":null},"op":"u"})",
                  R"({"before":{"id":2,"v":"c","ts":null},"after":null,"op":"d"})",
                  R"({"before":null,"after":{"id":3,"v":"d","ts":null},"op":"c"})",
                  R"({"before":{"id":3,"v":"d","ts":null},"after":null,"op":"d"})"));
  // A slice keeps its weights and values.
  EXPECT_THAT(Encoded("debezium_json", Slice(batch, 1, 2), columns, spec),
              ElementsAre(HasSubstr("\"op\":\"u\"")));
  // Without a primary key nothing says that two rows are versions of one.
  EXPECT_EQ(Encoded("debezium_json", Slice(batch, 1, 2), columns).size(), 2u);
  batch.weights = nullptr;
  EXPECT_THAT(Encoded("debezium_json", Slice(batch, 5, 1), columns), ElementsAre(HasSubstr("\"op\":\"c\"")));
}

TEST(DebeziumEncoder, ReadsWhatItWrites) {
  const std::string schema = "id BIGINT, d DECIMAL(20,3), ts TIMESTAMP, l INT[], b BYTEA";
  const Schema columns = Columns(schema);
  Batch batch =
      BatchOf(columns, R"({"id":1,"d":-12345.678,"ts":"2023-09-18T14:23:10.123","l":[1,null],"b":"aGk="})"
                       "\n"
                       R"({"id":1,"d":0.001,"ts":"1969-12-31T23:59:59.999","l":[],"b":""})");
  batch.weights = MakeWeights({-1, 1});
  FormatSpec spec = Spec({{"timestamp_unit", "millis"}});
  spec.primary_key = {0};
  const auto records = Encoded("debezium_json", batch, columns, spec);
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(Decode(schema, records[0] + "\n", spec).rows, Rows(batch, columns));
}

TEST(DebeziumInfer, TakesTheImages) {
  const auto& format = FormatOf("debezium_json");
  EXPECT_EQ(format.infer(Spec(), R"({"before":null,"after":{"id":1,"v":"x"},"op":"c"})").ToString(),
            "id BIGINT, v TEXT");
  EXPECT_EQ(format.infer(Spec(), R"({"payload":{"before":{"id":1},"after":null,"op":"d"}})").ToString(),
            "id BIGINT");
  EXPECT_EQ(format.infer(Spec(), "{}").num_columns(), 0);
}

}  // namespace
}  // namespace laminar
