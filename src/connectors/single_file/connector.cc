#include "connectors/single_file/connector.h"

#include "base/local_file.h"
#include "connectors/files/file_source.h"
#include "connectors/files/local_url.h"
#include "connectors/files/pipe_source.h"
#include "connectors/single_file/sink.h"

namespace laminar {

namespace {

ConnectorInfo MakeInfo() {
  ConnectorInfo info;
  info.id = "single_file";
  info.name = "Single File";
  info.description = "One local file or standard input, a record per line";
  info.category = "storage";
  info.source = info.sink = true;
  info.options = {
      {.name = "path", .required = true, .description = "the file; '-' reads standard input"},
      {.name = "compression",
       .aliases = {"compression_format"},
       .description = "of the file that is read; default: by the suffix .gz or .zst",
       .for_sink = false,
       .values = {"none", "gzip", "zstd"}},
      {.name = "wait_for_control",
       .type = OptionType::kBoolean,
       .default_value = "false",
       .description = "accepted for compatibility and without effect: rows come as fast as they are taken"},
  };
  info.formats = {"json", "debezium_json", "csv", "raw_string", "raw"};
  info.metadata = {{"file", Type::Text()}};
  info.features = {{"exactly_once", true}, {"compression", true}};
  info.source_guarantee = "exactly once";
  info.sink_guarantee = "exactly once";
  info.reads_lines = true;
  return info;
}

class SingleFileConnector final : public Connector {
 public:
  const ConnectorInfo& info() const override { return info_; }

  std::optional<std::string> Sample(const TableSpec& table) const override {
    const std::string path = LocalPathOf(table.options.Text("path"), table.options.span("path"));
    if (IsPipe(path)) {
      return std::nullopt;  // what is read of a pipe is gone
    }
    return SampleFile(path, *MakeFileReadSpec(table));
  }

  SourcePlan PlanSource(const TableSpec& table) const override {
    const std::string path = LocalPathOf(table.options.Text("path"), table.options.span("path"));
    const std::shared_ptr<const FileReadSpec> read = MakeFileReadSpec(table);
    SourcePlan plan;
    plan.bounded = true;
    plan.spread_decoding = !IsPipe(path);
    plan.parallelism_max = 1;
    plan.changelog = table.format->changelog;
    plan.default_event_time = 1 + static_cast<int>(table.metadata_keys.size());
    plan.make = [path, read]() -> std::unique_ptr<Source> {
      if (IsPipe(path)) return MakePipeSource(path, read);
      FileSourceSpec spec;
      spec.read = read;
      spec.one_reader = true;
      spec.files_grow = true;
      spec.list = [path] {
        LocalFile::OpenRead(path);  // a missing file is an error, not an empty table
        return std::vector<FileToRead>{{path, path}};
      };
      return MakeFileSource(std::move(spec));
    };
    return plan;
  }

  SinkPlan PlanSink(const TableSpec& table) const override {
    const std::string path = LocalPathOf(table.options.Text("path"), table.options.span("path"));
    if (path == "-") {
      throw UserError(Reason::kBadOption, table.options.span("path"), "a sink cannot be written to '-'")
          .Hint("use connector = 'stdout'");
    }
    SinkPlan plan;
    plan.changelog = table.format->changelog;
    plan.parallelism_max = 1;
    plan.header = table.format->make_encoder(table.format_spec, table.columns)->Header();
    plan.make = [path, header = plan.header] { return MakeSingleFileSink(path, header); };
    return plan;
  }

 private:
  static bool IsPipe(const std::string& path) {
    return path == "-" || (PathExists(path) && !IsRegularFile(path) && !IsDirectory(path));
  }

  const ConnectorInfo info_ = MakeInfo();
};

}  // namespace

void RegisterSingleFile(ConnectorRegistry& registry) {
  registry.Add(std::make_unique<SingleFileConnector>());
}

}  // namespace laminar
