#include "connectors/blackhole/connector.h"

namespace laminar {

namespace {

/// The runtime counts `rows_in`; there is nothing else to do.
class BlackholeSink final : public Sink {
 public:
  void Write(const Batch&) override {}
};

class BlackholeConnector final : public Connector {
 public:
  BlackholeConnector() {
    info_.id = "blackhole";
    info_.name = "Blackhole";
    info_.description = "Swallows rows and counts them; takes updates too";
    info_.category = "internal";
    info_.sink = true;
    info_.features = {{"exactly_once", true}};
    info_.sink_guarantee = "exactly once (nothing is visible)";
  }
  const ConnectorInfo& info() const override { return info_; }

  SinkPlan PlanSink(const TableSpec&) const override {
    SinkPlan plan;
    plan.takes = SinkPlan::Takes::kRows;
    plan.changelog = true;
    plan.make = [] { return std::make_unique<BlackholeSink>(); };
    return plan;
  }

 private:
  ConnectorInfo info_;
};

}  // namespace

void RegisterBlackhole(ConnectorRegistry& registry) { registry.Add(std::make_unique<BlackholeConnector>()); }

}  // namespace laminar
