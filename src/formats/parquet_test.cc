#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/io/memory.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_reader.h>

#include "base/arrow_result.h"
#include "formats/format_test_support.h"

namespace laminar {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string WriteFile(const std::vector<Batch>& batches, const Schema& columns,
                      const FormatSpec& spec = Spec()) {
  auto stream = OrThrow(arrow::io::BufferOutputStream::Create());
  auto writer = FormatOf("parquet").create_file(spec, stream, columns);
  for (const Batch& batch : batches) writer->Write(batch);
  writer->Close();
  EXPECT_GT(writer->bytes_written(), 0);
  return OrThrow(stream->Finish())->ToString();
}

std::unique_ptr<FileReader> Open(const std::string& file, const Schema& columns) {
  auto buffer = arrow::Buffer::FromString(file);
  return FormatOf("parquet").open_file(Spec(), std::make_shared<arrow::io::BufferReader>(buffer), columns);
}

std::vector<std::string> ReadAll(FileReader* reader, const Schema& columns, int64_t rows_max = 1000) {
  std::vector<std::string> rows;
  while (true) {
    const Batch batch = reader->Next(rows_max);
    if (batch.empty()) return rows;
    EXPECT_LE(batch.num_rows, rows_max);
    for (size_t i = 0; i < batch.columns.size(); ++i) {
      EXPECT_TRUE(batch.columns[i]->ValidateFull().ok());
      EXPECT_TRUE(batch.columns[i]->type()->Equals(*columns.fields[i].type.arrow_type()))
          << batch.columns[i]->type()->ToString() << " for " << columns.fields[i].type.ToString();
    }
    for (auto& row : Rows(batch, columns)) rows.push_back(std::move(row));
  }
}

std::vector<std::string> ReadAll(const std::string& file, const Schema& columns, int64_t rows_max = 1000) {
  return ReadAll(Open(file, columns).get(), columns, rows_max);
}

/// A file as other writers make it.
std::string WriteArrow(
    const arrow::FieldVector& fields, const arrow::ArrayVector& arrays,
    const std::shared_ptr<parquet::WriterProperties>& properties = parquet::default_writer_properties(),
    const std::shared_ptr<parquet::ArrowWriterProperties>& arrow_properties =
        parquet::default_arrow_writer_properties()) {
  auto table = arrow::Table::Make(arrow::schema(fields), arrays);
  auto stream = OrThrow(arrow::io::BufferOutputStream::Create());
  OrThrow(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), stream, 3, properties,
                                     arrow_properties));
  return OrThrow(stream->Finish())->ToString();
}

TEST(Parquet, EveryTypeRoundTrips) {
  const Schema columns = Columns(
      "b BOOLEAN, i8 TINYINT, u8 TINYINT UNSIGNED, i BIGINT, u BIGINT UNSIGNED, f FLOAT, d DOUBLE, n "
      "DECIMAL(30,4), t TEXT, "
      "x BYTEA, day DATE, tm TIME, ts TIMESTAMP, ts9 TIMESTAMP(9), tz TIMESTAMPTZ, j JSON, a INT[], m "
      "MAP<TEXT, INT>, "
      "s STRUCT<p INT, q STRUCT<r TEXT[]>>");
  const std::string full =
      R"({"b":true,"i8":-8,"u8":200,"i":-9223372036854775808,"u":18446744073709551615,"f":0.1,"d":1e300,"n":-12345678901234.5678,"t":"é","x":"AP8=",)"
      R"("day":"1969-12-31","tm":"23:59:59.999999999","ts":"9999-12-31T23:59:59.999999","ts9":"2023-09-18T14:23:10.123456789",)"
      R"("tz":"2023-09-18T14:23:10Z","j":{"k":1},"a":[1,null],"m":{"x":1,"y":null},"s":{"p":1,"q":{"r":["v",null]}}})";
  const Batch batch = BatchOf(columns, full + "\n{}\n{\"a\":[],\"m\":{},\"s\":{\"q\":null}}\n");
  const std::vector<std::string> expected = Rows(batch, columns);
  EXPECT_EQ(expected[0], full);
  EXPECT_EQ(ReadAll(WriteFile({batch}, columns), columns), expected);
  EXPECT_EQ(ReadAll(WriteFile({Slice(batch, 0, 1), Slice(batch, 1, 2)}, columns), columns, 1), expected);
  for (const char* compression : {"none", "snappy", "gzip", "lz4", "lz4_raw", "zstd", "uncompressed"}) {
    EXPECT_EQ(ReadAll(WriteFile({batch}, columns, Spec({{"compression", compression}})), columns), expected)
        << compression;
  }
}

TEST(Parquet, ReadsOnlyTheColumnsAskedFor) {
  const Schema columns = Columns("a INT, s STRUCT<p INT, q STRUCT<r TEXT, z INT>>, c TEXT");
  const std::string file = WriteFile(
      {BatchOf(columns, "{\"a\":1,\"s\":{\"p\":2,\"q\":{\"r\":\"x\",\"z\":3}},\"c\":\"y\"}\n{\"a\":4}\n")},
      columns);
  const Schema some = Columns("c TEXT, s STRUCT<q STRUCT<z INT>>, nowhere INT, `A` BIGINT");
  EXPECT_THAT(ReadAll(file, some), ElementsAre(R"({"c":"y","s":{"q":{"z":3}},"nowhere":null,"A":1})",
                                               R"({"c":null,"s":null,"nowhere":null,"A":4})"));
  EXPECT_THAT(ReadAll(file, Columns("s STRUCT<other INT>")),
              ElementsAre(R"({"s":{"other":null}})", R"({"s":null})"));
  EXPECT_EQ(Open(file, Schema{})->Next(100).num_rows, 2);
  EXPECT_EQ(Open(file, Columns("nowhere INT"))->Next(100).num_rows, 2);
  EXPECT_EQ(Open(file, some)->file_schema().ToString(),
            "a INT, s STRUCT<p INT, q STRUCT<r TEXT, z INT>>, c TEXT");
  EXPECT_THROW(Open(file, Columns("nowhere INT NOT NULL")), QueryError);
}

TEST(Parquet, RowGroupsByRowsAndBytes) {
  const Schema columns = Columns("a BIGINT");
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "{\"a\":" + std::to_string(i) + "}\n";
  const Batch batch = BatchOf(columns, lines);
  auto groups = [](const std::string& file) {
    return parquet::ParquetFileReader::Open(
               std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(file)))
        ->metadata()
        ->num_row_groups();
  };
  EXPECT_EQ(groups(WriteFile({batch}, columns)), 1);
  const std::string by_rows = WriteFile({batch, batch}, columns, Spec({{"row_group_size", "500"}}));
  EXPECT_EQ(groups(by_rows), 4);
  EXPECT_EQ(ReadAll(by_rows, columns).size(), 2000u);
  EXPECT_EQ(groups(WriteFile(std::vector<Batch>(20, batch), columns, Spec({{"row_group_size", "64KB"}}))), 3);
  EXPECT_THROW(WriteFile({batch}, columns, Spec({{"row_group_size", "many"}})), UserError);
  EXPECT_THROW(WriteFile({batch}, columns, Spec({{"compression", "brotli"}})), UserError);
}

TEST(Parquet, SkipsRows) {
  const Schema columns = Columns("a BIGINT");
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += "{\"a\":" + std::to_string(i) + "}\n";
  const std::string file = WriteFile({BatchOf(columns, lines)}, columns, Spec({{"row_group_size", "10"}}));
  for (int64_t skip : {0, 1, 9, 10, 11, 25, 99, 100, 1000}) {
    auto reader = Open(file, columns);
    reader->SkipRows(skip);
    const auto rows = ReadAll(reader.get(), columns, 7);
    ASSERT_EQ(rows.size(), static_cast<size_t>(std::max<int64_t>(0, 100 - skip))) << skip;
    if (!rows.empty()) {
      EXPECT_EQ(rows[0], "{\"a\":" + std::to_string(skip) + "}");
    }
    auto counter = Open(file, Schema{});
    counter->SkipRows(skip);
    EXPECT_EQ(counter->Next(1000).num_rows, std::max<int64_t>(0, 100 - skip));
  }
  auto reader = Open(file, columns);
  EXPECT_EQ(reader->Next(5).num_rows, 5);
  reader->SkipRows(20);
  EXPECT_THAT(Rows(reader->Next(1), columns), ElementsAre("{\"a\":25}"));
}

TEST(Parquet, ForeignTypes) {
  auto make = [](const std::shared_ptr<arrow::DataType>& type, auto fill) {
    auto builder = OrThrow(arrow::MakeBuilder(type));
    fill(builder.get());
    return OrThrow(builder->Finish());
  };
  const auto dictionary =
      OrThrow(arrow::compute::DictionaryEncode(*make(arrow::utf8(), [](arrow::ArrayBuilder* b) {
        auto* text = static_cast<arrow::StringBuilder*>(b);
        for (const char* value : {"x", "y", "x"}) ARROW_UNUSED(text->Append(value));
        ARROW_UNUSED(text->AppendNull());
      }))).make_array();
  const auto nanos = make(arrow::timestamp(arrow::TimeUnit::NANO), [](arrow::ArrayBuilder* b) {
    for (int64_t value : {1'500, -1, 0, 7})
      ARROW_UNUSED(static_cast<arrow::TimestampBuilder*>(b)->Append(value * 1'000));
  });
  const auto millis = make(arrow::timestamp(arrow::TimeUnit::MILLI), [](arrow::ArrayBuilder* b) {
    for (int64_t value : {1'500, -1, 0, 7})
      ARROW_UNUSED(static_cast<arrow::TimestampBuilder*>(b)->Append(value));
  });
  const auto small = make(arrow::int32(), [](arrow::ArrayBuilder* b) {
    for (int value : {1, 2, 3, 4}) ARROW_UNUSED(static_cast<arrow::Int32Builder*>(b)->Append(value));
  });
  const std::string file =
      WriteArrow({arrow::field("dict", dictionary->type()), arrow::field("ns", nanos->type()),
                  arrow::field("ms", millis->type()), arrow::field("i", small->type())},
                 {dictionary, nanos, millis, small});
  const Schema columns = Columns("dict TEXT, ns TIMESTAMP, ms TIMESTAMP, i BIGINT");
  EXPECT_THAT(
      ReadAll(file, columns),
      ElementsAre(R"({"dict":"x","ns":"1970-01-01T00:00:00.001500","ms":"1970-01-01T00:00:01.500","i":1})",
                  R"({"dict":"y","ns":"1969-12-31T23:59:59.999999","ms":"1969-12-31T23:59:59.999","i":2})",
                  R"({"dict":"x","ns":"1970-01-01T00:00:00","ms":"1970-01-01T00:00:00","i":3})",
                  R"({"dict":null,"ns":"1970-01-01T00:00:00.000007","ms":"1970-01-01T00:00:00.007","i":4})"));
  EXPECT_EQ(Open(file, columns)->file_schema().ToString(), "dict TEXT, ns TIMESTAMP(9), ms TIMESTAMP, i INT");
  EXPECT_THROW(ReadAll(file, Columns("dict INT")), QueryError);
  EXPECT_EQ(ReadAll(file, Columns("i TEXT")).size(), 4u);

  // INT96, as Spark and Impala write it.
  const std::string int96 =
      WriteArrow({arrow::field("ts", nanos->type())}, {nanos}, parquet::default_writer_properties(),
                 parquet::ArrowWriterProperties::Builder().enable_deprecated_int96_timestamps()->build());
  EXPECT_THAT(ReadAll(int96, Columns("ts TIMESTAMP"))[0], R"({"ts":"1970-01-01T00:00:00.001500"})");
}

TEST(Parquet, DecimalsAsDoublesAreTheNearest) {
  const Schema columns = Columns("d DECIMAL(10,2)");
  const std::string file = WriteFile({BatchOf(columns, "{\"d\":3.30}\n{}\n{\"d\":-0.07}\n")}, columns);
  EXPECT_THAT(ReadAll(file, Columns("d DOUBLE")),
              ElementsAre(R"({"d":3.3})", R"({"d":null})", R"({"d":-0.07})"));
}

TEST(Parquet, JsonColumnsHoldJson) {
  const Schema text = Columns("j TEXT");
  const std::string file = WriteFile({BatchOf(text, "{\"j\":\"[1, 2]\"}\n{}\n")}, text);
  EXPECT_THAT(ReadAll(file, Columns("j JSON")), ElementsAre(R"({"j":[1, 2]})", R"({"j":null})"));
  const std::string bad = WriteFile({BatchOf(text, "{\"j\":\"[1, 2\"}\n")}, text);
  EXPECT_THROW(ReadAll(bad, Columns("j JSON")), QueryError);
}

TEST(Parquet, TextIsUtf8) {
  const Schema columns = Columns("t TEXT");
  Batch batch = BatchOf(columns, "{\"t\":\"x\"}\n");
  arrow::StringBuilder builder;
  ASSERT_TRUE(builder.Append("\xff").ok());
  batch.columns[0] = builder.Finish().ValueOrDie();
  const std::string file = WriteFile({batch}, columns);
  EXPECT_THAT([&] { ReadAll(file, columns); },
              testing::ThrowsMessage<QueryError>(testing::HasSubstr("column 't': Invalid UTF8")));
}

TEST(Parquet, RowsOfTheFooterAreThoseOfItsGroups) {
  const Schema columns = Columns("a BIGINT");
  std::string file = WriteFile({BatchOf(columns, "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n")}, columns);
  const size_t at = file.find("\x16\x06");  // Thrift: the file's number of rows, as a zigzag varint
  ASSERT_NE(at, std::string::npos);
  file[at + 1] = '\x05';  // -3
  for (const char* wanted : {"a BIGINT", "b BIGINT"}) {
    EXPECT_THAT([&] { ReadAll(file, Columns(wanted)); },
                testing::ThrowsMessage<ExternalError>(testing::HasSubstr("number of rows")));
  }
}

TEST(Parquet, DamagedFilesAreErrorsOfTheFile) {
  const Schema columns = Columns("a BIGINT, t TEXT");
  const std::string file = WriteFile({BatchOf(columns, "{\"a\":1,\"t\":\"xyz\"}\n")}, columns);
  EXPECT_THROW(ReadAll("", columns), ExternalError);
  EXPECT_THROW(ReadAll("PAR1 nonsense", columns), ExternalError);
  EXPECT_THROW(ReadAll(file.substr(0, file.size() - 9), columns), ExternalError);
  try {
    ReadAll("not parquet at all", columns);
    FAIL();
  } catch (const ExternalError& error) {
    EXPECT_THAT(error.what(), HasSubstr("parquet: open"));
  }
}

TEST(Parquet, RefusesWhatItCannotCarry) {
  EXPECT_THROW(WriteFile({}, Columns("i INTERVAL")), UserError);
  EXPECT_THROW(WriteFile({}, Columns("s STRUCT<x INTERVAL[]>")), UserError);
  const Schema columns = Columns("a INT");
  EXPECT_TRUE(ReadAll(WriteFile({}, columns), columns).empty());
  EXPECT_TRUE(ReadAll(WriteFile({EmptyBatch(columns)}, columns), columns).empty());
}

}  // namespace
}  // namespace laminar
