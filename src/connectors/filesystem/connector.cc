#include "connectors/filesystem/connector.h"

#include <arrow/io/memory.h>
#include <fmt/format.h>

#include "base/arrow_result.h"
#include "base/local_file.h"
#include "base/random_id.h"
#include "connectors/files/file_source.h"
#include "connectors/files/local_url.h"
#include "connectors/filesystem/bucket_staging.h"
#include "connectors/filesystem/file_match.h"
#include "connectors/filesystem/sink.h"
#include "storage/bucket_client.h"

namespace laminar {

namespace {

std::vector<OptionSpec> SourceOptions() {
  const auto source_only = [](OptionSpec spec) {
    spec.for_sink = false;
    return spec;
  };
  return {
      source_only({.name = "pattern",
                   .aliases = {"glob"},
                   .description = "glob over the names below path, e.g. '*.json' or '2024/**/*.csv'"}),
      source_only(
          {.name = "regex_pattern", .description = "regular expression found in the names below path"}),
      source_only({.name = "scan_interval",
                   .type = OptionType::kDuration,
                   .description = "keep watching for new names; default: read what is there and end"}),
  };
}

std::vector<OptionSpec> SinkOptions() {
  const auto sink_only = [](OptionSpec spec) {
    spec.for_source = false;
    return spec;
  };
  const auto duration = OptionType::kDuration;
  return {
      sink_only({.name = "rolling_policy.file_size",
                 .aliases = {"rolling_policy.file_size_bytes", "file_size"},
                 .type = OptionType::kSize,
                 .default_value = "128MB",
                 .description = "a file is closed at this size"}),
      sink_only({.name = "rolling_policy.interval",
                 .aliases = {"rolling_policy.interval_seconds"},
                 .type = duration,
                 .default_value = "5 minutes",
                 .description = "… this long after its first row"}),
      sink_only({.name = "rolling_policy.inactivity_interval",
                 .aliases = {"rolling_policy.inactivity_seconds"},
                 .type = duration,
                 .description = "… this long after its last row; default: never"}),
      sink_only({.name = "rolling_policy.watermark_expiration",
                 .type = OptionType::kBoolean,
                 .default_value = "false",
                 .description = "… when the watermark has passed its time partition"}),
      sink_only({.name = "partitioning.time_pattern",
                 .description = "strftime pattern of the row time, as directory"}),
      sink_only({.name = "partitioning.fields",
                 .aliases = {"partition_by", "partition_fields"},
                 .type = OptionType::kList,
                 .description = "columns whose values become directories a=x/b=y"}),
      sink_only({.name = "shuffle_by_partition.enabled",
                 .aliases = {"partitioning.shuffle_by_partition.enabled"},
                 .type = OptionType::kBoolean,
                 .default_value = "false",
                 .description = "send the rows of a partition to one writer (not yet)"}),
      sink_only({.name = "filename.prefix",
                 .aliases = {"file_naming.prefix"},
                 .description = "start of file names"}),
      sink_only({.name = "filename.suffix",
                 .aliases = {"file_naming.suffix"},
                 .description = "end of file names; default: by format and compression"}),
      sink_only({.name = "filename.strategy",
                 .aliases = {"file_naming.strategy"},
                 .default_value = "uuid_v7",
                 .description = "middle of file names",
                 .values = {"uuid_v7", "uuid", "ulid", "serial"}}),
      sink_only({.name = "multipart.target_part_size",
                 .aliases = {"multipart.target_part_size_bytes"},
                 .type = OptionType::kSize,
                 .default_value = "32MB",
                 .description = "object stores: bytes of a part of an upload, 5MB or more"}),
      sink_only({.name = "multipart.max_parts",
                 .type = OptionType::kInteger,
                 .default_value = "1000",
                 .description = "object stores: an upload's parts are made big enough for this"}),
      sink_only({.name = "multipart.minimum_multipart_size",
                 .aliases = {"minimum_multipart_size"},
                 .type = OptionType::kSize,
                 .default_value = "0",
                 .description = "object stores: smaller files are put whole; those below 5MB always are"}),
  };
}

ConnectorInfo MakeInfo() {
  ConnectorInfo info;
  info.id = "filesystem";
  info.name = "Filesystem";
  info.description = "Files of a directory, read together or written and rolled";
  info.category = "storage";
  info.source = info.sink = true;
  info.profile = ProfileUse::kOptional;
  info.options = {
      {.name = "path",
       .required = true,
       .description = "directory, file, or glob such as 'logs/*.json'; or s3://bucket/key, gs://bucket/key, "
                      "abfss://container@account.dfs.core.windows.net/path"},
      {.name = "storage.",
       .description = "credentials and settings of an object store",
       .secret = true,
       .prefix = true,
       .profile = true},
      {.name = "compression",
       .aliases = {"compression_format"},
       .description = "source: none, gzip or zstd; default by suffix. sink: as the format's own option"},
  };
  for (auto& option : SourceOptions()) info.options.push_back(std::move(option));
  for (auto& option : SinkOptions()) info.options.push_back(std::move(option));
  info.formats = {"json", "csv", "parquet", "avro", "raw_string", "orc"};
  info.metadata = {{"file", Type::Text()}};
  info.features = {
      {"exactly_once", true}, {"cloud_storage", true}, {"partitioning", true}, {"compression", true}};
  info.source_guarantee = "exactly once";
  info.sink_guarantee = "exactly once";
  info.reads_lines = true;
  return info;
}

Compression RecordCompression(const std::string& text, SourceSpan span) {
  if (text.empty() || text == "none" || text == "uncompressed") return Compression::kNone;
  const Compression compression = CompressionOf("", text);
  if (compression != Compression::kNone) return compression;
  throw UserError(Reason::kBadOption, span,
                  "unknown compression '" + text + "': none, gzip and zstd are right");
}

class FilesystemConnector final : public Connector {
 public:
  const ConnectorInfo& info() const override { return info_; }

  std::optional<std::string> Sample(const TableSpec& table) const override {
    const auto read = ReadSpec(table);
    const auto files = ListMatching(MatchOf(table), *read->files);
    if (files.empty()) return std::nullopt;
    return SampleFile(files.front().path, *read);
  }

  SourcePlan PlanSource(const TableSpec& table) const override {
    FileSourceSpec spec;
    spec.read = ReadSpec(table);
    spec.list = [match = MatchOf(table), files = spec.read->files] { return ListMatching(match, *files); };
    spec.scan_interval_us = table.options.DurationUs("scan_interval");
    SourcePlan plan;
    plan.bounded = spec.scan_interval_us <= 0;
    plan.spread_decoding = plan.bounded;
    plan.changelog = table.format->changelog;
    if (ReadsWholeFiles(*table.format)) {
      plan.emits = SourcePlan::Emits::kRows;
      plan.schema = table.columns;
      for (const std::string& key : table.metadata_keys) {
        plan.schema.fields.push_back({key, Type::Text(), false});
      }
      plan.default_event_time = plan.schema.num_columns();
      plan.schema.fields.push_back({"event_time", Type::Timestamp(), false});
    } else {
      plan.default_event_time = 1 + static_cast<int>(table.metadata_keys.size());
    }
    plan.make = [spec] { return MakeFileSource(spec); };
    return plan;
  }

  SinkPlan PlanSink(const TableSpec& table) const override {
    auto spec = std::make_shared<FilesystemSinkSpec>();
    spec->partition = PartitionOf(table);
    spec->rolling.bytes = table.options.Bytes("rolling_policy.file_size", spec->rolling.bytes);
    spec->rolling.interval_us =
        table.options.DurationUs("rolling_policy.interval", spec->rolling.interval_us);
    spec->rolling.inactivity_us = table.options.DurationUs("rolling_policy.inactivity_interval");
    spec->rolling.watermark_expiration = table.options.Boolean("rolling_policy.watermark_expiration");
    spec->naming = ParseNameStrategy(table.options.Text("filename.strategy")).value_or(NameStrategy::kUuid7);
    spec->prefix = FilePart(table, "filename.prefix");
    FillWriteSpec(table, spec.get());
    spec->sink_token = fmt::format("{:016x}", RandomWord());
    spec->make_staging = StagingOf(table, *spec);
    if (table.options.Boolean("shuffle_by_partition.enabled")) {
      throw UserError(Reason::kUnsupported, table.options.span("shuffle_by_partition.enabled"),
                      "rows cannot be shuffled by partition yet; each writer makes its own files");
    }
    SinkPlan plan;
    plan.takes = SinkPlan::Takes::kRows;
    plan.make = [spec] { return MakeFilesystemSink(spec); };
    return plan;
  }

 private:
  static FileMatch MatchOf(const TableSpec& table) {
    const auto bucket = BucketOf(table);
    FileMatch match = MatchOfPath(
        bucket ? bucket->place().url() : LocalPathOf(table.options.Text("path"), table.options.span("path")));
    // Who watches a folder of a bucket may begin before there is anything in it.
    match.must_exist = !bucket || table.options.DurationUs("scan_interval") <= 0;
    const std::string pattern = table.options.Text("pattern");
    if (!pattern.empty() && !match.glob.empty()) {
      throw UserError(Reason::kBadOption, table.options.span("pattern"),
                      "the path has a pattern of its own: give either, not both");
    }
    if (!pattern.empty()) match.glob = pattern;
    match.regex = table.options.Text("regex_pattern");
    CheckRegex(match.regex, table.options.span("regex_pattern"));
    CheckRegex(GlobToRegex(match.glob), table.options.span("pattern"));
    return match;
  }

  static std::shared_ptr<const FileReadSpec> ReadSpec(const TableSpec& table) {
    RecordCompression(table.options.Text("compression"), table.options.span("compression"));
    auto read = MakeFileReadSpec(table);
    if (const auto bucket = BucketOf(table)) read->files = FilesOfBucket(bucket);
    read->changes_fail = table.options.Text("bad_data", "fail") == "fail";
    return read;
  }

  /// The bucket that `path` means; null: it is a local path.
  static std::shared_ptr<BucketClient> BucketOf(const TableSpec& table) {
    StorageOptions options;
    for (const auto& [name, option] : table.options.values) {
      if (name.rfind("storage.", 0) == 0) options[name.substr(8)] = option.text;
    }
    try {
      auto bucket = OpenBucket(table.options.Text("path"), options);
      if (!bucket && !options.empty()) {
        throw ExternalError("file", "option 'storage." + options.begin()->first +
                                        "' is for object stores; a local path has none");
      }
      return bucket;
    } catch (const ExternalError& error) {
      throw UserError(Reason::kBadOption, table.options.span("path"), error.what());
    }
  }

  static StagingFactory StagingOf(const TableSpec& table, const FilesystemSinkSpec& spec) {
    const auto bucket = BucketOf(table);
    if (!bucket) {
      const std::string root = LocalPathOf(table.options.Text("path"), table.options.span("path"));
      return [root] { return MakeLocalStaging(root); };
    }
    BucketStagingOptions options;
    options.part_bytes = table.options.Bytes("multipart.target_part_size", options.part_bytes);
    if (options.part_bytes < BucketClient::kPartBytesMin) {
      throw UserError(Reason::kBadOption, table.options.span("multipart.target_part_size"),
                      "a part of an upload has 5MB or more");
    }
    const int64_t parts_max = table.options.Integer("multipart.max_parts", 1000);
    if (parts_max < 1 || parts_max > BucketClient::kPartsMax) {
      throw UserError(Reason::kBadOption, table.options.span("multipart.max_parts"),
                      "an upload has 1 to 10000 parts");
    }
    options.part_bytes = std::max(options.part_bytes, spec.rolling.bytes / parts_max + 1);
    options.multipart_bytes_min =
        std::max(options.multipart_bytes_min, table.options.Bytes("multipart.minimum_multipart_size"));
    options.names_may_repeat = spec.naming == NameStrategy::kSerial;
    return [bucket, options] { return MakeBucketStaging(bucket, options); };
  }

  static PartitionSpec PartitionOf(const TableSpec& table) {
    PartitionSpec partition;
    partition.time_pattern = table.options.Text("partitioning.time_pattern");
    partition.event_time_column = table.event_time_column;
    if (!partition.time_pattern.empty() && table.event_time_column < 0) {
      throw UserError(Reason::kBadOption, table.options.span("partitioning.time_pattern"),
                      "partitioning.time_pattern needs the event time of the rows among the columns of '" +
                          table.name + "'");
    }
    partition.field_names = table.options.List("partitioning.fields");
    partition.field_names.insert(partition.field_names.end(), table.partition_by.begin(),
                                 table.partition_by.end());
    std::vector<std::string> known;
    for (const Field& field : table.columns.fields) known.push_back(field.name);
    for (const std::string& name : partition.field_names) {
      const int column = table.columns.IndexOf(name);
      if (column < 0) {
        UserError error(Reason::kUnknownColumn, table.options.span("partitioning.fields"),
                        "no column '" + name + "' to partition by in '" + table.name + "'");
        const std::string near = NearestName(name, known);
        if (!near.empty()) error.Hint("did you mean '" + near + "'?");
        throw error;
      }
      partition.field_columns.push_back(column);
    }
    return partition;
  }

  /// A part of a file name must not lead elsewhere.
  static std::string FilePart(const TableSpec& table, const std::string& option) {
    const std::string part = table.options.Text(option);
    if (part.find('/') == std::string::npos) return part;
    throw UserError(Reason::kBadOption, table.options.span(option),
                    "option '" + option + "': '" + part + "' has a '/'");
  }

  static void FillWriteSpec(const TableSpec& table, FilesystemSinkSpec* spec) {
    FileWriteSpec& write = spec->write;
    const Format& format = *table.format;
    write.format = &format;
    write.format_spec = table.format_spec;
    write.columns = table.columns;
    // 'compression' is short for '<format>.compression'; records are compressed here, files by their format.
    FormatOptions& options = write.format_spec.options;
    if (table.options.Has("compression")) {
      options["compression"] = {table.options.Text("compression"), table.options.span("compression")};
    }
    std::string suffix = format.file_suffix.empty() ? format.names.front() : format.file_suffix;
    if (format.create_file) {
      // Made once for its complaints about options.
      auto stream = OrThrow(arrow::io::BufferOutputStream::Create(), "buffer");
      format.create_file(write.format_spec, std::move(stream), write.columns);
    } else if (format.make_encoder) {
      const auto compression = options.find("compression");
      if (compression != options.end()) {
        write.compression = RecordCompression(compression->second.value, compression->second.span);
        MarkUsed(table, "compression");
        options.erase(compression);
      }
      format.make_encoder(write.format_spec, write.columns);
      suffix += CompressionSuffix(write.compression);
    } else {
      throw UserError(Reason::kUnsupported, table.options.span("format"),
                      "format '" + format.names.front() + "' cannot be written");
    }
    for (const auto& [name, option] : options) {
      if (option.used) MarkUsed(table, name);
    }
    const std::string own_suffix = FilePart(table, "filename.suffix");
    spec->suffix = own_suffix.empty() ? suffix : own_suffix;
  }

  static void MarkUsed(const TableSpec& table, const std::string& name) {
    const auto found = table.format_spec.options.find(name);
    if (found != table.format_spec.options.end()) found->second.used = true;
  }

  const ConnectorInfo info_ = MakeInfo();
};

}  // namespace

void RegisterFilesystem(ConnectorRegistry& registry) {
  registry.Add(std::make_unique<FilesystemConnector>());
}

}  // namespace laminar
