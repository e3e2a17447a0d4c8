#include "connectors/nexmark/connector.h"

#include <algorithm>
#include <cmath>

#include "connectors/generators/wanted_columns.h"
#include "connectors/nexmark/generator.h"

namespace laminar {

namespace {

/// Event time when `event_rate` is 0: as if so many events happened per second.
constexpr double kUnlimitedEventRate = 10'000;

ConnectorInfo MakeInfo() {
  const auto integer = OptionType::kInteger;
  ConnectorInfo info;
  info.id = "nexmark";
  info.name = "Nexmark";
  info.description = "Generated events of the Nexmark benchmark: people, auctions, bids";
  info.category = "internal";
  info.source = true;
  info.implied_schema = true;
  info.options = {
      {.name = "event_rate",
       .aliases = {"first-event.rate", "next-event.rate"},
       .type = OptionType::kDouble,
       .required = true,
       .description = "events per second over all subtasks, by the clock and in event time; 0: as fast as "
                      "they are taken, "
                      "with 10,000 events to a second of event time"},
      {.name = "runtime",
       .type = OptionType::kDuration,
       .description = "ends after this time; default: never"},
      {.name = "events_num",
       .aliases = {"events.num"},
       .type = integer,
       .description = "ends after so many events over all subtasks; default: never"},
      {.name = "person.proportion",
       .type = integer,
       .default_value = "1",
       .description = "people among so many events"},
      {.name = "auction.proportion", .type = integer, .default_value = "3", .description = "auctions"},
      {.name = "bid.proportion", .type = integer, .default_value = "46", .description = "bids"},
      {.name = "seed",
       .type = integer,
       .default_value = "42",
       .description = "another seed makes other events"},
      {.name = "base_time",
       .default_value = "fixed",
       .description = "event time of the first event: fixed (2015-07-15) or start (when the job starts)",
       .values = {"fixed", "start"}},
  };
  info.features = {{"exactly_once", true}};
  info.source_guarantee = "exactly once";
  return info;
}

class NexmarkConnector final : public Connector {
 public:
  const ConnectorInfo& info() const override { return info_; }
  std::optional<Schema> ImpliedSchema(const TableSpec&) const override { return NexmarkSchema(); }

  SourcePlan PlanSource(const TableSpec& table) const override {
    WantedColumns(table, NexmarkSchema());
    const double rate = RateOf(table, "event_rate");
    NexmarkSpec events = EventsOf(table);
    events.events_per_second = rate > 0 ? rate : kUnlimitedEventRate;
    GeneratorSpec spec;
    spec.rows_per_second = rate;
    spec.make = [events, columns = table.columns] { return MakeNexmarkGenerator(events, columns); };
    int64_t total = table.options.Has("events_num") ? table.options.Integer("events_num") : -1;
    const int64_t runtime_us = table.options.DurationUs("runtime");
    if (runtime_us > 0 && rate > 0) {
      // A count ends the run at the same event after a restore too.
      const auto events_due =
          static_cast<int64_t>(std::llround(static_cast<double>(runtime_us) / 1e6 * rate));
      total = total < 0 ? events_due : std::min(total, events_due);
    } else {
      spec.runtime_us = runtime_us;
    }
    if (total >= 0) spec.row_count = [total](int split, int splits) { return ShareOf(total, split, splits); };
    SourcePlan plan = GeneratedPlan(table);
    plan.bounded = total >= 0 || runtime_us > 0;
    plan.make = [spec] { return MakeGeneratorSource(spec); };
    return plan;
  }

 private:
  static NexmarkSpec EventsOf(const TableSpec& table) {
    NexmarkSpec events;
    events.seed = static_cast<uint64_t>(table.options.Integer("seed", 42));
    events.base_is_start = table.options.Text("base_time") == "start";
    events.person_proportion = Proportion(table, "person.proportion", 1);
    events.auction_proportion = Proportion(table, "auction.proportion", 3);
    events.bid_proportion = Proportion(table, "bid.proportion", 46);
    if (events.person_proportion + events.auction_proportion + events.bid_proportion == 0) {
      throw UserError(Reason::kBadOption, table.options.span("bid.proportion"),
                      "all proportions are 0: no event is left");
    }
    return events;
  }

  static int64_t Proportion(const TableSpec& table, const std::string& name, int64_t otherwise) {
    const int64_t value = table.options.Integer(name, otherwise);
    if (value >= 0 && value <= 1'000'000) return value;
    throw UserError(Reason::kBadOption, table.options.span(name),
                    "option '" + name + "': " + std::to_string(value) + " is not between 0 and 1000000");
  }

  const ConnectorInfo info_ = MakeInfo();
};

}  // namespace

void RegisterNexmark(ConnectorRegistry& registry) { registry.Add(std::make_unique<NexmarkConnector>()); }

}  // namespace laminar
