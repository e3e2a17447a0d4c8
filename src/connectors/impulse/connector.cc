#include "connectors/impulse/connector.h"

#include "connectors/generators/array_fill.h"
#include "connectors/generators/generator_source.h"
#include "connectors/generators/wanted_columns.h"

namespace laminar {

namespace {

class ImpulseGenerator final : public RowGenerator {
 public:
  ImpulseGenerator(std::vector<int> columns, int64_t interval_us)
      : columns_(std::move(columns)), interval_us_(interval_us) {}

  Batch Generate(const RowRange& range) override {
    Batch batch;
    batch.num_rows = range.rows;
    for (const int column : columns_) {
      batch.columns.push_back(FillColumn<uint64_t>(arrow::uint64(), range.rows, [&](int64_t row) {
        return static_cast<uint64_t>(column == 0 ? range.counter + row : range.split);
      }));
    }
    batch.columns.push_back(FillTimestamps(range.rows, [&](int64_t row) {
      return interval_us_ > 0 ? range.start_us + (range.counter + row) * interval_us_ : range.now_us;
    }));
    return batch;
  }

 private:
  const std::vector<int> columns_;
  const int64_t interval_us_;
};

class ImpulseConnector final : public Connector {
 public:
  ImpulseConnector() {
    info_.id = "impulse";
    info_.name = "Impulse";
    info_.description = "A counter at a fixed rate";
    info_.category = "internal";
    info_.source = true;
    info_.implied_schema = true;
    info_.options = {
        {.name = "event_rate",
         .type = OptionType::kDouble,
         .required = true,
         .description = "rows per second over all subtasks; 0: as fast as they are taken"},
        {.name = "event_time_interval",
         .aliases = {"event_time_interval_micros"},
         .type = OptionType::kText,
         .description =
             "event time between rows of a subtask, a duration or microseconds; default: the wall clock"},
        {.name = "message_count",
         .type = OptionType::kInteger,
         .description = "rows per subtask; default: without end"},
    };
    info_.features = {{"exactly_once", true}};
    info_.source_guarantee = "exactly once";
  }
  const ConnectorInfo& info() const override { return info_; }

  std::optional<Schema> ImpliedSchema(const TableSpec&) const override {
    return Schema{{{"counter", Type::UInt64(), false}, {"subtask_index", Type::UInt64(), false}}};
  }

  SourcePlan PlanSource(const TableSpec& table) const override {
    const auto columns = WantedColumns(table, *ImpliedSchema(table));
    const int64_t interval_us = IntervalUs(table);
    GeneratorSpec spec;
    spec.rows_per_second = RateOf(table, "event_rate");
    spec.make = [columns, interval_us] { return std::make_unique<ImpulseGenerator>(columns, interval_us); };
    if (table.options.Has("message_count")) {
      spec.row_count = [rows = table.options.Integer("message_count")](int, int) { return rows; };
    }
    SourcePlan plan = GeneratedPlan(table);
    plan.bounded = static_cast<bool>(spec.row_count);
    plan.make = [spec] { return MakeGeneratorSource(spec); };
    return plan;
  }

 private:
  /// A bare number counts microseconds here, whatever the name of the option says.
  static int64_t IntervalUs(const TableSpec& table) {
    const std::string text = table.options.Text("event_time_interval");
    if (text.empty()) return 0;
    const auto interval_us = ParseDurationUs(text, 1);
    if (interval_us && *interval_us > 0) return *interval_us;
    throw UserError(
        Reason::kBadOption, table.options.span("event_time_interval"),
        "option 'event_time_interval': '" + text + "' is not a positive duration or number of microseconds");
  }

  ConnectorInfo info_;
};

}  // namespace

void RegisterImpulse(ConnectorRegistry& registry) { registry.Add(std::make_unique<ImpulseConnector>()); }

}  // namespace laminar
