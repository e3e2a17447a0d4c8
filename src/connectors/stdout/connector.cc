#include "connectors/stdout/connector.h"

#include <unistd.h>

#include <csignal>
#include <utility>

#include "base/local_file.h"
#include "connectors/line_buffer.h"

namespace laminar {

namespace {

class StdoutSink final : public Sink {
 public:
  explicit StdoutSink(const std::string& header) : buffer_(header) {}

  void Open(const OperatorContext& context) override {
    Sink::Open(context);
    // A reader that went away (`| head`) must come back as EPIPE, not end the process.
    struct sigaction current;
    if (::sigaction(SIGPIPE, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) {
      std::signal(SIGPIPE, SIG_IGN);
    }
  }

  void Write(const Batch& batch) override {
    AppendLines(batch, &buffer_);
    if (buffer_.size() >= kLineBufferBytes) Flush();
  }

  void Flush() override {
    if (buffer_.empty()) return;
    // Emptied first: after an error, closing must not try again.
    const std::string lines = std::exchange(buffer_, {});
    WriteFully(STDOUT_FILENO, lines, "standard output");
  }

  void Snapshot(uint64_t, SnapshotWriter&) override { Flush(); }
  void Close() override { Flush(); }

 private:
  std::string buffer_;
};

class StdoutConnector final : public Connector {
 public:
  StdoutConnector() {
    info_.id = "stdout";
    info_.name = "Standard Output";
    info_.description = "Rows to standard output, one per line";
    info_.category = "internal";
    info_.sink = true;
    info_.formats = {"json", "debezium_json", "csv", "raw_string", "raw"};
    info_.updating_format = "debezium_json";
    info_.sink_guarantee = "at least once";
  }
  const ConnectorInfo& info() const override { return info_; }

  SinkPlan PlanSink(const TableSpec& table) const override {
    SinkPlan plan;
    plan.changelog = table.format->changelog;
    plan.parallelism_max = 1;
    plan.header = table.format->make_encoder(table.format_spec, table.columns)->Header();
    plan.make = [header = plan.header] { return std::make_unique<StdoutSink>(header); };
    return plan;
  }

 private:
  ConnectorInfo info_;
};

}  // namespace

void RegisterStdout(ConnectorRegistry& registry) { registry.Add(std::make_unique<StdoutConnector>()); }

}  // namespace laminar
