#include "connectors/connector.h"

#include <charconv>
#include <cmath>

#include "connectors/option_text.h"

namespace laminar {

namespace {

/// The unit of a bare number, from the end of the option's name.
int64_t BareUnitUs(std::string_view name) {
  constexpr std::pair<std::string_view, int64_t> kUnits[] = {
      {"_micros", 1}, {"_us", 1}, {"_millis", 1'000}, {"_ms", 1'000}, {"_minutes", 60'000'000}};
  for (const auto& [suffix, unit] : kUnits) {
    if (name.size() > suffix.size() && name.substr(name.size() - suffix.size()) == suffix) return unit;
  }
  return 1'000'000;
}

}  // namespace

std::string Options::Text(const std::string& name, std::string otherwise) const {
  const auto found = values.find(name);
  return found == values.end() ? otherwise : found->second.text;
}

int64_t Options::Integer(const std::string& name, int64_t otherwise) const {
  const auto found = values.find(name);
  return found == values.end() ? otherwise : ParseIntegerText(found->second.text).value_or(otherwise);
}

double Options::Double(const std::string& name, double otherwise) const {
  const auto found = values.find(name);
  return found == values.end() ? otherwise : ParseDoubleText(found->second.text).value_or(otherwise);
}

bool Options::Boolean(const std::string& name, bool otherwise) const {
  const auto found = values.find(name);
  return found == values.end() ? otherwise : ParseBooleanText(found->second.text).value_or(otherwise);
}

int64_t Options::DurationUs(const std::string& name, int64_t otherwise) const {
  const auto found = values.find(name);
  if (found == values.end()) return otherwise;
  return ParseDurationUs(found->second.text, BareUnitUs(name)).value_or(otherwise);
}

int64_t Options::Bytes(const std::string& name, int64_t otherwise) const {
  const auto found = values.find(name);
  return found == values.end() ? otherwise : ParseSizeBytes(found->second.text).value_or(otherwise);
}

std::vector<std::string> Options::List(const std::string& name) const {
  const auto found = values.find(name);
  return found == values.end() ? std::vector<std::string>() : ParseList(found->second.text);
}

SourceSpan Options::span(const std::string& name) const {
  const auto found = values.find(name);
  return found == values.end() ? SourceSpan() : found->second.span;
}

ConnectionTestResult Connector::TestConnection(const ProfileOptions&) const {
  if (!info().enabled) throw ExternalError(info().id, "this build has no client for " + info().name);
  return {"there is no connection to test", ""};
}

SourcePlan Connector::PlanSource(const TableSpec& table) const {
  throw UserError(Reason::kReadFromSink, {},
                  "table '" + table.name + "' cannot be read: connector '" + info().id + "' has no source");
}

SinkPlan Connector::PlanSink(const TableSpec& table) const {
  throw UserError(Reason::kWriteToSource, {},
                  "table '" + table.name + "' cannot be written: connector '" + info().id + "' has no sink");
}

void ConnectorRegistry::Add(std::unique_ptr<Connector> connector) {
  const std::shared_ptr<const Connector> shared = std::move(connector);
  const bool added = connectors_.emplace(FoldOptionName(shared->info().id), shared).second;
  LAMINAR_CHECK(added, "connector '" + shared->info().id + "' registered twice");
  for (const std::string& alias : shared->info().aliases) connectors_.emplace(FoldOptionName(alias), shared);
}

const Connector* ConnectorRegistry::Find(std::string_view id) const {
  const auto found = connectors_.find(FoldOptionName(id));
  return found == connectors_.end() ? nullptr : found->second.get();
}

std::vector<const Connector*> ConnectorRegistry::connectors() const {
  std::vector<const Connector*> all;
  for (const auto& [name, connector] : connectors_) {
    if (name == FoldOptionName(connector->info().id)) all.push_back(connector.get());
  }
  return all;
}

std::vector<std::string> ConnectorRegistry::ids() const {
  std::vector<std::string> all;
  for (const Connector* connector : connectors()) all.push_back(connector->info().id);
  return all;
}

}  // namespace laminar
