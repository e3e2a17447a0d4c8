#include "formats/csv.h"

#include "formats/format_test_support.h"

namespace laminar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Decoded Decode(const std::string& schema, std::string_view text, const FormatSpec& spec = Spec(),
               int64_t rows_max = 1000) {
  return DecodeAll("csv", schema, text, spec, rows_max);
}

TEST(CsvDecoder, MatchesFieldsByName) {
  const auto decoded = Decode("b TEXT, `A` INT, missing TEXT", "a,skipped,B\n1,x,one\r\n2,y,two");
  EXPECT_THAT(decoded.rows,
              ElementsAre(R"({"b":"one","A":1,"missing":null})", R"({"b":"two","A":2,"missing":null})"));
  EXPECT_TRUE(decoded.errors.empty());
  EXPECT_THAT(Decode("id INT", "\xef\xbb\xbfid,ID\n1,2\n").rows, ElementsAre(R"({"id":1})"));
  EXPECT_EQ(Decode("", "a,b\n1,2\n3,4\n").rows.size(), 2u);
}

TEST(CsvDecoder, AFirstRowIsNoHeader) {
  const auto decoded = Decode("id INT, s TEXT", "1,a\n2,b\n");
  EXPECT_THAT(decoded.bad, ElementsAre("2,b"));
  EXPECT_THAT(decoded.errors, ElementsAre(HasSubstr("the header '1,a' names no column of the table")));
  FormatSpec spec = Spec();
  spec.table_columns = Columns("id INT, s TEXT");
  EXPECT_THAT(Decode("id INT", "S,x\na,b\n", spec).rows, ElementsAre(R"({"id":null})"));
}

TEST(CsvDecoder, WithoutHeaderColumnsComeByPlace) {
  FormatSpec spec = Spec({{"header", "false"}});
  EXPECT_THAT(Decode("a INT, b TEXT", "1,x\n2,y\n", spec).rows,
              ElementsAre(R"({"a":1,"b":"x"})", R"({"a":2,"b":"y"})"));
  spec.table_columns = Columns("a INT, b TEXT, c INT");
  EXPECT_THAT(Decode("c INT, a INT", "1,x,3\n", spec).rows, ElementsAre(R"({"c":3,"a":1})"));
}

TEST(CsvDecoder, QuotesAndNewlines) {
  const auto decoded =
      Decode("a TEXT, b INT", "a,b\n\"x,\"\"y\"\"\nz\",1\n\"\",2\n,3\n\"q\"\r\n , 4 \nin\"side,5\n");
  EXPECT_THAT(decoded.rows,
              ElementsAre(R"({"a":"x,\"y\"\nz","b":1})", R"({"a":"","b":2})", R"({"a":null,"b":3})",
                          R"({"a":" ","b":4})", R"({"a":"in\"side","b":5})"));
  EXPECT_THAT(decoded.bad, ElementsAre("\"q\""));
  EXPECT_THAT(decoded.errors, ElementsAre("the record has 1 fields, but the header has 2"));
}

TEST(CsvDecoder, OtherDialects) {
  EXPECT_THAT(Decode("a TEXT, b TEXT", "a\tb\n'x\\'\\\\y'\t'\t'\n",
                     Spec({{"delimiter", "\\t"}, {"quote", "'"}, {"escape", "\\"}}))
                  .rows,
              ElementsAre(R"({"a":"x'\\y","b":"\t"})"));
  EXPECT_THAT(
      Decode("a TEXT, b INT", "a,b\nNULL,NULL\n\"NULL\",\n,1\n", Spec({{"null_string", "NULL"}})).rows,
      ElementsAre(R"({"a":null,"b":null})", R"({"a":"NULL","b":null})", R"({"a":"","b":1})"));
}

TEST(CsvDecoder, BadRecordsSpareTheirNeighbours) {
  struct Case {
    const char* line;
    const char* error;
  };
  const Case cases[] = {{"1", "has 1 fields, but the header has 2"},
                        {"1,2,3", "has 3 fields"},
                        {"x,1", "column 'a': 'x' is not a valid INT"},
                        {"1.5,1", "not a valid INT"},
                        {"99999999999,1", "out of range for INT"},
                        {"\"1\"2,3", "text follows the closing quote"},
                        {"1,\xff", "invalid UTF-8"},
                        {",1", "column 'a': is NOT NULL"}};
  for (const Case& c : cases) {
    const auto decoded = Decode("a INT NOT NULL, b TEXT", std::string("a,b\n1,x\n") + c.line + "\n2,y\n");
    EXPECT_THAT(decoded.rows, ElementsAre(R"({"a":1,"b":"x"})", R"({"a":2,"b":"y"})")) << c.line;
    EXPECT_THAT(decoded.errors, ElementsAre(HasSubstr(c.error))) << c.line;
    EXPECT_THAT(decoded.bad, ElementsAre(c.line));
  }
  // A quote that never closes costs its own line only.
  const auto open = Decode("a INT, b TEXT", "a,b\n1,\"x\n2,y\n3,z\n");
  EXPECT_THAT(open.rows, ElementsAre(R"({"a":2,"b":"y"})", R"({"a":3,"b":"z"})"));
  EXPECT_THAT(open.errors, ElementsAre("a quoted field does not end"));
}

TEST(CsvDecoder, Values) {
  struct Case {
    const char* type;
    const char* text;
    const char* expected;
  };
  const Case cases[] = {{"BIGINT", "9007199254740993", "9007199254740993"},
                        {"BIGINT", "+5", "5"},
                        {"BIGINT", "007", "7"},
                        {"BIGINT", "-007", "-7"},
                        {"BIGINT", " 12 ", "12"},
                        {"DOUBLE", ".5", "0.5"},
                        {"DOUBLE", "5.", "5.0"},
                        {"DOUBLE", "-1e-3", "-0.001"},
                        {"DOUBLE", "nan", "null"},
                        {"DECIMAL(10,2)", "12.345", "12.35"},
                        {"BOOLEAN", "TRUE", "true"},
                        {"BOOLEAN", "f", "false"},
                        {"BOOLEAN", "1", "true"},
                        {"TIMESTAMP", "2023-09-18 14:23:10.5", "\"2023-09-18T14:23:10.500\""},
                        {"TIMESTAMP", "1695046990", "\"2023-09-18T14:23:10\""},
                        {"DATE", "2023-09-18", "\"2023-09-18\""},
                        {"TIME", "14:23:10", "\"14:23:10\""},
                        {"BYTEA", "aGk=", "\"aGk=\""},
                        {"INTERVAL", "P1D", "\"P1D\""},
                        {"JSON", "\"{\"\"a\"\":[1, 2]}\"", "{\"a\":[1, 2]}"},
                        {"JSON", "12", "12"},
                        {"TEXT", "12", "\"12\""},
                        {"BIGINT", "\"\"", "null"},
                        {"BIGINT", "\"42\"", "42"}};
  for (const Case& c : cases) {
    const auto decoded =
        Decode(std::string("v ") + c.type + ", w INT", std::string("v,w\n") + c.text + ",1\n");
    ASSERT_TRUE(decoded.errors.empty()) << c.type << " " << c.text << ": " << decoded.errors[0];
    EXPECT_THAT(decoded.rows, ElementsAre(std::string("{\"v\":") + c.expected + ",\"w\":1}"))
        << c.type << " " << c.text;
  }
  for (const Case& c :
       {Case{"JSON", "{", "is not JSON"}, Case{"BIGINT", "1e3", "'1e3' is not a valid BIGINT"},
        Case{"BOOLEAN", "yes", "not a valid BOOLEAN"}, Case{"JSON", "1 2", "not JSON"}}) {
    EXPECT_THAT(Decode(std::string("v ") + c.type + ", w INT", std::string("v,w\n") + c.text + ",1\n").errors,
                ElementsAre(HasSubstr(c.expected)));
  }
}

TEST(CsvDecoder, RowsMaxKeepsTheHeader) {
  std::string text = "a,b\n";
  for (int i = 0; i < 100; ++i) text += std::to_string(i) + ",\"line\n" + std::to_string(i) + "\"\n";
  for (int64_t rows_max : {1, 3, 100}) {
    const auto decoded = Decode("a INT, b TEXT", text, Spec(), rows_max);
    ASSERT_EQ(decoded.rows.size(), 100u);
    EXPECT_EQ(decoded.rows[99], R"({"a":99,"b":"line\n99"})");
  }
}

TEST(CsvDecoder, BlocksWithAndWithoutTheirHeader) {
  const Schema columns = Columns("b INT, a INT");
  auto decoder = FormatOf("csv").make_decoder(Spec(), columns);
  EXPECT_THAT(Rows(decoder->Decode("a,b\n1,2\n", 10).batch, columns), ElementsAre(R"({"b":2,"a":1})"));
  EXPECT_THAT(Rows(decoder->Decode("3,4\n", 10).batch, columns), ElementsAre(R"({"b":4,"a":3})"));
  EXPECT_THAT(Rows(decoder->Decode("a,b\n5,6\n", 10).batch, columns), ElementsAre(R"({"b":6,"a":5})"));
  // Another file, other order, one more field.
  EXPECT_THAT(Rows(decoder->Decode("b,x,a\n7,0,8\n", 10).batch, columns), ElementsAre(R"({"b":7,"a":8})"));
}

TEST(CsvDecoder, BlankLines) {
  EXPECT_EQ(Decode("a INT, b INT", "\na,b\n\n1,2\r\n\r\n3,4\n\n").rows.size(), 2u);
  EXPECT_THAT(Decode("a INT", "a\n1\n\n2\n").rows, ElementsAre(R"({"a":1})", R"({"a":null})", R"({"a":2})"));
  EXPECT_TRUE(Decode("a INT", "").rows.empty());
  EXPECT_TRUE(Decode("a INT", "a").rows.empty());
}

TEST(CsvDecoder, AMessageHasNoHeader) {
  FormatSpec spec = Spec();
  spec.one_message = true;
  EXPECT_THAT(Decode("a INT, b TEXT", "1,x", spec).rows, ElementsAre(R"({"a":1,"b":"x"})"));
}

TEST(CsvDecoder, NestedColumnsAreRefused) {
  EXPECT_THROW(FormatOf("csv").make_decoder(Spec(), Columns("a INT[]")), UserError);
  EXPECT_THROW(FormatOf("csv").make_decoder(Spec({{"delimiter", "\""}}), Columns("a INT")), UserError);
  EXPECT_THROW(FormatOf("csv").make_decoder(Spec({{"delimiter", "ab"}}), Columns("a INT")), UserError);
}

TEST(Csv, RecordsEndOutsideOfQuotes) {
  const CsvDialect dialect;
  const std::string text = "a,\"b\n\"\"c\n\"\nd,e\n\"open\n";
  EXPECT_EQ(FindRecordEnd(text, 0, dialect), 11);
  EXPECT_EQ(FindRecordEnd(text, 11, dialect), 15);
  EXPECT_EQ(FindRecordEnd(text, 15, dialect), -1);
  EXPECT_EQ(FindLastRecordEnd(text, dialect), 15);
  EXPECT_EQ(FindLastRecordEnd("a,b\nc", dialect), 4);
  EXPECT_EQ(FindLastRecordEnd("a,b", dialect), 0);
  EXPECT_EQ(FindLastRecordEnd("\"a\nb", dialect), 0);
  EXPECT_EQ(FindLastRecordEnd("x\"y\nz\n", dialect), 6);  // a quote within a field is text
  EXPECT_EQ(FormatOf("csv").last_record_end(Spec(), text), 15);
  EXPECT_EQ(FormatOf("csv").header_bytes(Spec(), "a,\"b\nc\"\n1,2\n"), 8);
  EXPECT_EQ(FormatOf("csv").header_bytes(Spec({{"header", "false"}}), "a,b\n1,2\n"), 0);
}

TEST(CsvEncoder, RoundTrips) {
  const Schema columns =
      Columns("t TEXT, i BIGINT, d DOUBLE, ts TIMESTAMPTZ, b BYTEA, n DECIMAL(10,2), f BOOLEAN, j JSON");
  const std::vector<std::string> rows = {
      R"({"t":"plain","i":1,"d":1.5,"ts":"2023-09-18T14:23:10Z","b":"aGk=","n":1.50,"f":true,"j":{"a":[1,"x"]}})",
      R"({"t":"","i":-9223372036854775808,"d":1e300,"ts":null,"b":"","n":-0.01,"f":false,"j":"s"})",
      R"({"t":"q\"u,o\nt\r\n ","i":null,"d":null,"ts":null,"b":null,"n":null,"f":null,"j":null})",
      R"({"t":null,"i":0,"d":-0.0,"ts":"1969-12-31T23:59:59.999999Z","b":"AA==","n":0.00,"f":true,"j":[]})"};
  std::string lines;
  for (const auto& row : rows) lines += row + "\n";
  const Batch batch = BatchOf(columns, lines);
  auto encoder = FormatOf("csv").make_encoder(Spec(), columns);
  std::string text = encoder->Header();
  EXPECT_EQ(text, "t,i,d,ts,b,n,f,j\n");
  for (const auto& record : Encoded("csv", batch, columns)) text += record + "\n";
  const auto decoded =
      Decode("t TEXT, i BIGINT, d DOUBLE, ts TIMESTAMPTZ, b BYTEA, n DECIMAL(10,2), f BOOLEAN, j JSON", text);
  // BYTEA of no bytes reads back as NULL: only TEXT tells empty from NULL.
  std::vector<std::string> expected = rows;
  expected[1].replace(expected[1].find("\"b\":\"\""), 6, "\"b\":null");
  EXPECT_EQ(decoded.rows, expected);
}

TEST(CsvEncoder, SpecialValues) {
  const Schema columns = Columns("d DOUBLE, `x,y` TEXT");
  const Batch batch = BatchOf(columns, "{\"d\":\"NaN\",\"x,y\":\"NULL\"}\n{\"d\":\"-Infinity\"}\n");
  EXPECT_THAT(Encoded("csv", batch, columns, Spec({{"null_string", "NULL"}})),
              ElementsAre("NaN,\"NULL\"", "-Infinity,NULL"));
  EXPECT_EQ(FormatOf("csv").make_encoder(Spec(), columns)->Header(), "d,\"x,y\"\n");
  EXPECT_EQ(FormatOf("csv").make_encoder(Spec({{"header", "false"}}), columns)->Header(), "");
}

TEST(CsvInfer, TypesByValues) {
  const auto infer = [](const std::string& text, const FormatSpec& spec = Spec()) {
    return FormatOf("csv").infer(spec, text).ToString();
  };
  EXPECT_EQ(infer("i,d,t,s,b,m,e\n1,1,2023-01-01 "
                  "00:00:00,x,true,1,\n-2,2.5,2023-01-01T00:00:00Z,\"\",false,x,\n3,4,"),
            "i BIGINT, d DOUBLE, t TIMESTAMP, s TEXT, b BOOLEAN, m TEXT, e TEXT");
  EXPECT_EQ(infer("1,x\n2,y\n", Spec({{"header", "false"}})), "column1 BIGINT, column2 TEXT");
  EXPECT_EQ(infer("\"a b\",c\n"), "\"a b\" TEXT, c TEXT");
  EXPECT_EQ(infer(""), "");
}

}  // namespace
}  // namespace laminar
