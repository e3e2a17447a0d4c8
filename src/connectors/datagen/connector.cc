#include "connectors/datagen/connector.h"

#include <algorithm>

#include "connectors/datagen/field.h"
#include "connectors/generators/array_fill.h"
#include "connectors/generators/generator_source.h"
#include "connectors/generators/wanted_columns.h"

namespace laminar {

namespace {

class DatagenGenerator final : public RowGenerator {
 public:
  DatagenGenerator(std::vector<std::shared_ptr<const DatagenField>> fields, double rows_per_second)
      : fields_(std::move(fields)), rows_per_second_(rows_per_second) {}

  Batch Generate(const RowRange& range) override {
    DatagenRows rows;
    rows.first = range.counter * range.splits + range.split;
    rows.stride = range.splits;
    rows.rows = range.rows;
    rows.time_us = range.now_us;
    if (rows_per_second_ > 0) {
      const double us_per_number = 1e6 / rows_per_second_;
      rows.time_us = range.start_us + static_cast<int64_t>(static_cast<double>(rows.first) * us_per_number);
      rows.us_per_row = us_per_number * static_cast<double>(rows.stride);
    }
    Batch batch;
    batch.num_rows = range.rows;
    for (const auto& field : fields_) batch.columns.push_back(field->Make(rows));
    batch.columns.push_back(FillTimestamps(rows.rows, [&](int64_t row) { return rows.TimeUs(row); }));
    return batch;
  }

 private:
  const std::vector<std::shared_ptr<const DatagenField>> fields_;
  const double rows_per_second_;
};

class DatagenConnector final : public Connector {
 public:
  DatagenConnector() {
    info_.id = "datagen";
    info_.name = "Datagen";
    info_.description = "Made-up rows of the declared columns";
    info_.category = "internal";
    info_.source = true;
    info_.options = {
        {.name = "event_rate",
         .aliases = {"rows_per_second"},
         .type = OptionType::kDouble,
         .default_value = "10000",
         .description = "rows per second over all subtasks; 0: as fast as they are taken"},
        {.name = "number_of_rows",
         .type = OptionType::kInteger,
         .description = "ends after so many rows over all subtasks; default: never"},
        {.name = "seed",
         .type = OptionType::kInteger,
         .default_value = "42",
         .description = "another seed makes other rows"},
        {.name = "fields.",
         .description = "fields.<column>.kind (random, sequence, constant), .min, .max, .length, "
                        ".start, .end, .null_rate, .values, .value",
         .prefix = true},
    };
    info_.features = {{"exactly_once", true}};
    info_.source_guarantee = "exactly once";
  }
  const ConnectorInfo& info() const override { return info_; }

  SourcePlan PlanSource(const TableSpec& table) const override {
    CheckDatagenOptions(table);
    const auto seed = static_cast<uint64_t>(table.options.Integer("seed", 42));
    std::vector<std::shared_ptr<const DatagenField>> fields;
    std::optional<int64_t> total;
    if (table.options.Has("number_of_rows")) total = table.options.Integer("number_of_rows");
    for (int column = 0; column < table.columns.num_columns(); ++column) {
      fields.push_back(MakeDatagenField(table, column, seed));
      if (const auto count = fields.back()->row_count()) total = total ? std::min(*total, *count) : *count;
    }
    GeneratorSpec spec;
    spec.rows_per_second = RateOf(table, "event_rate");
    spec.make = [fields, rate = spec.rows_per_second] {
      return std::make_unique<DatagenGenerator>(fields, rate);
    };
    if (total) {
      spec.row_count = [total = *total](int split, int splits) { return ShareOf(total, split, splits); };
    }
    SourcePlan plan = GeneratedPlan(table);
    plan.bounded = total.has_value();
    plan.make = [spec] { return MakeGeneratorSource(spec); };
    return plan;
  }

 private:
  ConnectorInfo info_;
};

}  // namespace

void RegisterDatagen(ConnectorRegistry& registry) { registry.Add(std::make_unique<DatagenConnector>()); }

}  // namespace laminar
