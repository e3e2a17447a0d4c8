// Connectors with the real formats: what a source hands over, a fresh decoder can read, block by block.

#include <gmock/gmock.h>

#include "connectors/test_table.h"
#include "formats/register_formats.h"

namespace laminar {
namespace {

const FormatRegistry& RealFormats() {
  static const FormatRegistry registry = [] {
    FormatRegistry formats;
    RegisterAllFormats(formats);
    return formats;
  }();
  return registry;
}

TableSpec RealTable(const std::string& connector,
                    const std::vector<std::pair<std::string, std::string>>& options, TableKind kind,
                    const Schema& columns) {
  std::vector<RawOption> raw;
  for (const auto& [name, value] : options) raw.push_back({name, value});
  TableOptions read = ReadTableOptions(raw, ConnectorNamed(connector).info(), RealFormats(), {}, kind);
  if (!read.errors.empty()) throw read.errors.front();
  TableSpec table;
  table.name = "t";
  table.options = std::move(read.options);
  table.format = read.format;
  table.format_spec = std::move(read.format_spec);
  table.columns = columns;
  return table;
}

/// Rows as text; each block goes to a decoder of its own, as when decoding is spread.
std::vector<std::string> ReadAll(const TableSpec& table, const MemorySnapshot* snapshot = nullptr) {
  SourceRun run(ConnectorNamed("single_file").PlanSource(table).make(), 0, 1, snapshot);
  run.Drain();
  std::vector<std::string> rows;
  for (const Batch& batch : run.out.batches) {
    const auto decoder = table.format->make_decoder(table.format_spec, table.columns);
    std::string_view block = static_cast<const arrow::BinaryArray&>(*batch.columns[0]).GetView(0);
    while (!block.empty()) {
      const DecodeResult result = decoder->Decode(block, 1000);
      EXPECT_TRUE(result.bad.empty()) << result.bad[0].error;
      if (!result.batch.empty()) {
        std::stringstream text(FormatBatch(result.batch));
        for (std::string line; std::getline(text, line);) rows.push_back(line);
      }
      block.remove_prefix(static_cast<size_t>(result.consumed));
    }
  }
  return rows;
}

const Schema kColumns = {{{"id", Type::Int64()}, {"note", Type::Text()}}};

TEST(RealFormatsTest, CsvWithHeaderAndQuotedNewlinesOverManyBlocks) {
  TempDir dir;
  std::string text = "note,id\r\n";
  const int64_t count = 200'000;
  for (int64_t i = 0; i < count; ++i) {
    text += i % 3 == 0 ? "\"two\nlines, \"\"quoted\"\"\"," : "plain,";
    text += std::to_string(i) + (i % 2 == 0 ? "\n" : "\r\n");
  }
  text.pop_back();
  ASSERT_GT(text.size(), 2u << 20);
  const TableSpec table = RealTable("single_file", {{"path", dir.Write("a.csv", text)}, {"format", "csv"}},
                                    TableKind::kSource, kColumns);
  const auto rows = ReadAll(table);
  ASSERT_EQ(rows.size(), static_cast<size_t>(count + (count + 2) / 3))
      << "a quoted newline shows as a line of its own here";

  SourceRun first(ConnectorNamed("single_file").PlanSource(table).make());
  first.Poll();
  MemorySnapshot snapshot;
  first.SaveTo(&snapshot);
  const auto rest = ReadAll(table, &snapshot);
  ASSERT_LT(rest.size(), rows.size());
  EXPECT_TRUE(std::equal(rest.begin(), rest.end(), rows.end() - static_cast<int64_t>(rest.size())));
}

TEST(RealFormatsTest, JsonLinesWithCrLfAndWithoutALastNewline) {
  TempDir dir;
  const std::string path = dir.Write("a.json", "{\"id\":1,\"note\":\"x\"}\r\n\n{\"id\":2}");
  EXPECT_THAT(ReadAll(RealTable("single_file", {{"path", path}}, TableKind::kSource, kColumns)),
              testing::SizeIs(2));
}

TEST(RealFormatsTest, RoundTripsThroughADirectory) {
  TempDir dir;
  for (const std::string format : {"json", "csv", "parquet"}) {
    const std::string path = dir / format;
    const TableSpec sink = RealTable(
        "filesystem",
        {{"path", path}, {"format", format}, {"compression", format == "parquet" ? "snappy" : "gzip"}},
        TableKind::kSink, kColumns);
    const auto plan = ConnectorNamed("filesystem").PlanSink(sink);
    SinkRun writer(plan.make());
    Batch rows = RowsOf({1, 2, 3});
    arrow::StringBuilder notes;
    OrThrow(notes.AppendValues({"a", "b,c"}));
    OrThrow(notes.AppendNull());
    rows.columns.push_back(OrThrow(notes.Finish()));
    writer.sink->Write(rows);
    writer.sink->Write(Slice(rows, 1, 2));
    writer.sink->Close();

    const TableSpec source =
        RealTable("filesystem", {{"path", path}, {"format", format}}, TableKind::kSource, kColumns);
    SourceRun reader(ConnectorNamed("filesystem").PlanSource(source).make());
    reader.Drain();
    std::vector<Batch> read;
    for (Batch& batch : reader.out.batches) {
      if (format != "parquet") {
        const auto decoder = source.format->make_decoder(source.format_spec, kColumns);
        batch =
            decoder->Decode(static_cast<const arrow::BinaryArray&>(*batch.columns[0]).GetView(0), 100).batch;
      } else {
        batch.columns.resize(2);
      }
      read.push_back(batch);
    }
    EXPECT_EQ(FormatBatch(Concat(read)), FormatBatch(rows) + FormatBatch(Slice(rows, 1, 2))) << format;
  }
}

}  // namespace
}  // namespace laminar
