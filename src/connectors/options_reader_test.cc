#include "connectors/options_reader.h"

#include <gmock/gmock.h>

#include "connectors/option_text.h"
#include "connectors/register_connectors.h"
#include "connectors/test_formats.h"

namespace laminar {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ConnectorInfo SampleInfo() {
  ConnectorInfo info;
  info.id = "sample";
  info.source = info.sink = true;
  info.formats = {"json", "csv", "debezium_json"};
  info.options = {
      {.name = "bootstrap_servers", .required = true, .description = "where"},
      {.name = "rolling_policy.file_size",
       .aliases = {"size"},
       .type = OptionType::kSize,
       .for_source = false},
      {.name = "offset", .default_value = "latest", .for_sink = false, .values = {"latest", "earliest"}},
      {.name = "password", .type = OptionType::kInteger, .secret = true},
      {.name = "storage.", .prefix = true},
      {.name = "rate", .type = OptionType::kDouble},
  };
  return info;
}

TableOptions Read(const std::vector<RawOption>& raw, std::optional<TableKind> kind = std::nullopt) {
  std::vector<RawOption> all = raw;
  int64_t offset = 100;
  for (RawOption& option : all) {
    option.name_span = {offset, 4};
    option.value_span = {offset + 5, 4};
    offset += 10;
  }
  static const ConnectorInfo info = SampleInfo();
  return ReadTableOptions(all, info, TestFormats(), {7, 1}, kind);
}

std::vector<std::string> Messages(const TableOptions& options) {
  std::vector<std::string> messages;
  for (const UserError& error : options.errors) messages.push_back(error.message());
  return messages;
}

TEST(ReadTableOptionsTest, JsonDebeziumIsTheOtherFormat) {
  const auto format = [](const std::vector<RawOption>& raw) {
    const TableOptions options = Read(raw, TableKind::kSink);
    EXPECT_THAT(Messages(options), IsEmpty());
    return options.format->names.front();
  };
  const RawOption servers{"bootstrap_servers", "x"};
  EXPECT_EQ(format({servers, {"format", "json"}, {"json.debezium", "true"}}), "debezium_json");
  EXPECT_EQ(format({servers, {"json.debezium", "true"}}), "debezium_json");
  EXPECT_EQ(format({servers, {"json.debezium", "false"}}), "json");
  EXPECT_THAT(Messages(Read({servers, {"json.debezium", "perhaps"}}, TableKind::kSink)),
              ElementsAre(HasSubstr("'perhaps' is not true or false")));
}

TEST(ParseDurationTest, ReadsWhatUsersWrite) {
  EXPECT_EQ(ParseDurationUs("5s"), 5'000'000);
  EXPECT_EQ(ParseDurationUs("5 seconds"), 5'000'000);
  EXPECT_EQ(ParseDurationUs(" 1 minute 30 seconds "), 90'000'000);
  EXPECT_EQ(ParseDurationUs("1.5h"), 5'400'000'000);
  EXPECT_EQ(ParseDurationUs("1 day 02:00:00"), 93'600'000'000);
  EXPECT_EQ(ParseDurationUs("00:00:00.5"), 500'000);
  EXPECT_EQ(ParseDurationUs("250ms"), 250'000);
  EXPECT_EQ(ParseDurationUs("250", 1000), 250'000);
  EXPECT_EQ(ParseDurationUs("-1"), -1'000'000);
  EXPECT_EQ(ParseDurationUs("0"), 0);
}

TEST(ParseDurationTest, RefusesWhatHasNoFixedLength) {
  for (const char* text :
       {"", "5 months", "1 year", "abc", "5 5", "5s 5", "--5s", "1:99", "inf", "5 parsecs", "1e30 days"}) {
    EXPECT_EQ(ParseDurationUs(text), std::nullopt) << text;
  }
}

TEST(ParseSizeTest, CountsIn1024) {
  EXPECT_EQ(ParseSizeBytes("10MB"), 10 * 1024 * 1024);
  EXPECT_EQ(ParseSizeBytes("64 KB"), 65536);
  EXPECT_EQ(ParseSizeBytes("1024"), 1024);
  EXPECT_EQ(ParseSizeBytes("1.5 GiB"), 1610612736);
  for (const char* text : {"", "MB", "-1", "5 XB", "5MB5"}) {
    EXPECT_EQ(ParseSizeBytes(text), std::nullopt) << text;
  }
}

TEST(OptionTextTest, IntegersAndLists) {
  EXPECT_EQ(ParseIntegerText("9007199254740993"), 9007199254740993);
  EXPECT_EQ(ParseIntegerText("1e3"), 1000);
  EXPECT_EQ(ParseIntegerText("1.5"), std::nullopt);
  EXPECT_EQ(ParseIntegerText("99999999999999999999"), std::nullopt);
  EXPECT_THAT(ParseList("a, 'b' ,c"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(ParseList("[\"a\",\"b\"]"), ElementsAre("a", "b"));
  EXPECT_THAT(ParseList(""), IsEmpty());
}

TEST(OptionsReaderTest, FoldsNamesAliasesAndPrefixes) {
  const auto table =
      Read({{"bootstrapServers", "b"}, {"sink.SIZE", "1KB"}, {"source.offset", "EARLIEST"}, {"Rate", "2.5"}});
  EXPECT_THAT(Messages(table), IsEmpty());
  EXPECT_EQ(table.options.Text("bootstrap_servers"), "b");
  EXPECT_EQ(table.options.Bytes("rolling_policy.file_size"), 1024);
  EXPECT_EQ(table.options.Text("offset"), "earliest") << "values are folded to their documented spelling";
  EXPECT_EQ(table.options.Double("rate"), 2.5);
  EXPECT_EQ(table.options.span("rate").offset, 135);
}

TEST(OptionsReaderTest, PrefixOptionsKeepTheirRestAsWritten) {
  const auto table =
      Read({{"bootstrap_servers", "b"}, {"Storage.aws_Region-x", "eu"}, {"source.storage.k", "v"}});
  EXPECT_THAT(Messages(table), IsEmpty());
  EXPECT_EQ(table.options.Text("storage.aws_Region-x"), "eu");
  EXPECT_EQ(table.options.Text("storage.k"), "v");
}

TEST(OptionsReaderTest, ReportsAllProblemsTogether) {
  const auto table = Read({{"bootstrp_servers", "b"}, {"offset", "middle"}, {"rate", "fast"}});
  ASSERT_EQ(table.errors.size(), 4u);
  EXPECT_EQ(table.errors[0].reason(), Reason::kUnknownOption);
  EXPECT_EQ(table.errors[0].span().offset, 100);
  EXPECT_THAT(table.errors[0].hint(), HasSubstr("bootstrap_servers"));
  EXPECT_EQ(table.errors[1].reason(), Reason::kBadOption);
  EXPECT_THAT(table.errors[1].message(), HasSubstr("'middle' is not one of latest, earliest"));
  EXPECT_EQ(table.errors[1].span().offset, 115);
  EXPECT_THAT(table.errors[2].message(), HasSubstr("'fast' is not a number"));
  EXPECT_EQ(table.errors[3].reason(), Reason::kMissingOption);
  EXPECT_EQ(table.errors[3].span().offset, 7);
}

TEST(OptionsReaderTest, SecretsStayOutOfErrors) {
  const auto table = Read({{"bootstrap_servers", "b"}, {"password", "hunter2"}});
  ASSERT_EQ(table.errors.size(), 1u);
  EXPECT_THAT(table.errors[0].message(), testing::Not(HasSubstr("hunter2")));
}

TEST(OptionsReaderTest, LastOfARepeatedOptionWins) {
  const auto table = Read({{"bootstrap_servers", "a"}, {"bootstrap-servers", "b"}});
  EXPECT_EQ(table.options.Text("bootstrap_servers"), "b");
  EXPECT_THAT(table.warnings, ElementsAre(HasSubstr("given twice")));
}

TEST(OptionsReaderTest, OptionsOfTheOtherKindAreErrors) {
  const auto table = Read({{"bootstrap_servers", "b"}, {"type", "source"}, {"size", "1KB"}});
  EXPECT_EQ(table.kind, TableKind::kSource);
  EXPECT_THAT(Messages(table), ElementsAre(HasSubstr("'size' is for sinks; this table is a source")));
  EXPECT_THAT(Messages(Read({{"bootstrap_servers", "b"}, {"offset", "latest"}}, TableKind::kSink)),
              ElementsAre(HasSubstr("is for sources")));
  EXPECT_THAT(Messages(Read({{"bootstrap_servers", "b"}, {"type", "lookup"}})),
              ElementsAre(HasSubstr("cannot be a lookup")));
}

TEST(OptionsReaderTest, FormatOptionsGoToTheFormat) {
  const auto table = Read({{"bootstrap_servers", "b"},
                           {"format", "JSON"},
                           {"json.timestampFormat", "rfc3339"},
                           {"json.nonsense", "1"}});
  EXPECT_THAT(Messages(table), IsEmpty());
  ASSERT_EQ(table.format_spec.options.count("timestamp_format"), 1u);
  table.format_spec.options.at("timestamp_format").used = true;
  const auto unused = UnusedFormatOptions(table.format_spec, *table.format);
  ASSERT_EQ(unused.size(), 1u);
  EXPECT_THAT(unused[0].message(), HasSubstr("no option 'nonsense'"));
}

TEST(OptionsReaderTest, OptionsOfAnotherFormatAreErrors) {
  EXPECT_THAT(Messages(Read({{"bootstrap_servers", "b"}, {"csv.header", "false"}})),
              ElementsAre(HasSubstr("belongs to format 'csv'; this table's format is 'json'")));
  EXPECT_THAT(Messages(Read(
                  {{"bootstrap_servers", "b"}, {"format", "debezium-json"}, {"json.timestamp_format", "x"}})),
              IsEmpty());
  EXPECT_THAT(Messages(Read({{"bootstrap_servers", "b"}, {"format", "jsn"}})),
              ElementsAre(HasSubstr("unknown format 'jsn'")));
  EXPECT_THAT(Messages(Read({{"bootstrap_servers", "b"}, {"format", "raw_string"}})),
              ElementsAre(HasSubstr("does not take")));
}

TEST(OptionsReaderTest, CommonOptionsOfEveryTable) {
  const auto table = Read({{"bootstrap_servers", "b"},
                           {"idle_micros", "1500"},
                           {"framing", "newline"},
                           {"framing.newline.max_length", "1MB"},
                           {"bad_data", "drop"}});
  EXPECT_THAT(Messages(table), IsEmpty());
  EXPECT_EQ(table.options.DurationUs("idle_time"), 1500);
  EXPECT_EQ(table.options.DurationUs("watermark_delay", 77), 77)
      << "no default: a setting of the script may give one";
  EXPECT_EQ(table.options.Integer("max_retries"), 20);
  EXPECT_EQ(table.format_spec.framing, FramingMethod::kNewline);
  EXPECT_EQ(table.format_spec.line_bytes_max, 1 << 20);
  EXPECT_TRUE(table.format_spec.one_message);
}

TEST(RegistryTest, FindsByIdAliasAndAnySpelling) {
  ConnectorRegistry registry;
  RegisterAllConnectors(registry);
  ASSERT_NE(registry.Find("Single-File"), nullptr);
  EXPECT_EQ(registry.Find("Single-File")->info().id, "single_file");
  EXPECT_EQ(registry.Find("kafkaesque"), nullptr);
  EXPECT_THAT(registry.ids(), testing::IsSupersetOf({"blackhole", "datagen", "filesystem", "impulse",
                                                     "nexmark", "single_file", "stdout"}));
  for (const Connector* connector : registry.connectors()) {
    if (!connector->info().enabled) continue;  // described only
    for (const OptionSpec& option : connector->info().options) {
      EXPECT_FALSE(option.description.empty()) << option.name;
    }
  }
  EXPECT_THROW(registry.Find("stdout")->PlanSource({}), UserError);
  EXPECT_THROW(registry.Find("nexmark")->PlanSink({}), UserError);
}

}  // namespace
}  // namespace laminar
