#include "state/manifest.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace laminar {

namespace {

constexpr int kFormat = 1;
constexpr std::string_view kChecksumLine = "xxh3 ";
constexpr std::array<std::string_view, 6> kKinds{"scheduled", "final",    "seal",
                                                 "manual",    "stopping", "savepoint"};

uint64_t FromHex(const std::string& text) {
  uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value, 16);
  return value;
}

CheckpointKind KindOf(const std::string& name) {
  for (size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == name) return static_cast<CheckpointKind>(i);
  }
  return CheckpointKind::kScheduled;
}

nlohmann::json ToJson(const ManifestOperator& one) {
  nlohmann::json tables = nlohmann::json::array();
  for (const ManifestTable& table : one.tables) {
    tables.push_back({{"name", table.spec.name},
                      {"version", table.spec.version},
                      {"layout", table.spec.layout},
                      {"entries", table.entries},
                      {"bytes", table.bytes}});
    if (!table.spec.key.empty())
      tables.back()["key"] = nlohmann::json::parse(StatePartsToText(table.spec.key));
    if (!table.spec.value.empty())
      tables.back()["value"] = nlohmann::json::parse(StatePartsToText(table.spec.value));
  }
  return {
      {"id", one.id}, {"name", one.name}, {"parallelism", one.parallelism}, {"tables", std::move(tables)}};
}

ManifestOperator OperatorFromJson(const nlohmann::json& json) {
  ManifestOperator one{json.at("id"), json.at("name"), json.at("parallelism"), {}};
  const auto parts = [](const nlohmann::json& table, const char* name) {
    return table.contains(name) ? StatePartsFromText(table.at(name).dump()) : std::vector<StatePart>();
  };
  for (const auto& table : json.at("tables")) {
    one.tables.push_back({{table.at("name"), table.at("version"), table.at("layout"), parts(table, "key"),
                           parts(table, "value")},
                          table.at("entries"),
                          table.at("bytes")});
  }
  return one;
}

}  // namespace

std::string Hex16(uint64_t value) { return fmt::format("{:016x}", value); }

std::string_view CheckpointKindName(CheckpointKind kind) { return kKinds[static_cast<size_t>(kind)]; }

int64_t ManifestOperator::bytes() const {
  int64_t sum = 0;
  for (const ManifestTable& table : tables) sum += table.bytes;
  return sum;
}

int64_t ManifestOperator::entries() const {
  int64_t sum = 0;
  for (const ManifestTable& table : tables) sum += table.entries;
  return sum;
}

int64_t Manifest::bytes() const {
  int64_t sum = 0;
  for (const ManifestFile& file : files) sum += file.bytes;
  return sum;
}

std::string Manifest::ToText() const {
  nlohmann::json document{{"format", kFormat},
                          {"epoch", epoch},
                          {"kind", CheckpointKindName(kind)},
                          {"created_ms", created_ms},
                          {"job", job},
                          {"run", run},
                          {"operators", nlohmann::json::array()},
                          {"files", nlohmann::json::array()}};
  for (const ManifestOperator& one : operators) document["operators"].push_back(ToJson(one));
  for (const ManifestFile& file : files) {
    document["files"].push_back({{"name", file.name},
                                 {"bytes", file.bytes},
                                 {"checksum", Hex16(file.checksum)},
                                 {"first_epoch", file.first_epoch},
                                 {"last_epoch", file.last_epoch}});
  }
  // Names come from scripts: whatever bytes they hold, the text is UTF-8.
  std::string text = document.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
  text += fmt::format("{}{}\n", kChecksumLine, Hex16(XXH3_64bits(text.data(), text.size())));
  return text;
}

Manifest Manifest::FromText(const std::string& text, const std::string& name) {
  const auto damaged = [&](const std::string& what) { return StateDamaged(name, what); };
  const size_t line = text.rfind("\n" + std::string(kChecksumLine));
  if (line == std::string::npos || text.size() != line + 1 + kChecksumLine.size() + 16 + 1) {
    throw damaged("its last line is no checksum");
  }
  const std::string_view body(text.data(), line + 1);
  if (Hex16(XXH3_64bits(body.data(), body.size())) != text.substr(line + 1 + kChecksumLine.size(), 16)) {
    throw damaged("its checksum is wrong");
  }
  const auto document = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) throw damaged("it is no JSON object");
  try {
    if (const int format = document.at("format"); format > kFormat) {
      throw ExternalError(
          "state", fmt::format("'{}' has format {}; this laminar reads up to {}", name, format, kFormat));
    }
    Manifest manifest;
    manifest.epoch = document.at("epoch");
    manifest.kind = KindOf(document.at("kind"));
    manifest.created_ms = document.at("created_ms");
    manifest.job = document.at("job");
    manifest.run = document.at("run");
    for (const auto& one : document.at("operators")) manifest.operators.push_back(OperatorFromJson(one));
    for (const auto& file : document.at("files")) {
      manifest.files.push_back({file.at("name"), file.at("bytes"), FromHex(file.at("checksum")),
                                file.at("first_epoch"), file.at("last_epoch")});
    }
    return manifest;
  } catch (const nlohmann::json::exception& error) {
    throw damaged(error.what());
  }
}

}  // namespace laminar
