#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/state_output.h"
#include "cli/state_url.h"
#include "runtime/node.h"
#include "state/checkpoint_store.h"
#include "state/state_rows.h"

namespace laminar::cli {

namespace {

/// Rows that are decoded together.
constexpr int64_t kReadRows = 4096;

struct CheckpointArguments {
  StateUrl state;
  std::string id = "latest";
  bool json = false;

  CheckpointStore Open() const { return CheckpointStore(state.Open(/*create=*/false)); }
  /// nullopt: the newest.
  std::optional<uint64_t> epoch() const {
    if (id == "latest") return std::nullopt;
    uint64_t value = 0;
    for (const char c : id) {
      if (c < '0' || c > '9' || value > UINT64_MAX / 10 - 10) {
        throw ExternalError(
            "state", "'" + id + "' is no checkpoint; write latest or a number of `laminar checkpoint ls`");
      }
      value = value * 10 + static_cast<uint64_t>(c - '0');
    }
    return value;
  }
  Checkpoint Load(const CheckpointStore& store) const {
    auto found = store.Load(epoch(), nullptr);
    if (!found) throw ExternalError("state", "no checkpoint below '" + state.url + "'");
    return std::move(*found);
  }
};

std::string TimeText(int64_t ms) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(static_cast<time_t>(ms / 1000)), ms % 1000);
}

void Print(const std::string& line) { std::fputs((line + "\n").c_str(), stdout); }

/// Text as it is, other bytes in hexadecimal.
nlohmann::json BytesValue(std::string_view bytes) {
  const bool printable =
      std::all_of(bytes.begin(), bytes.end(), [](unsigned char c) { return c >= 0x20 && c < 0x7f; });
  if (printable) return std::string(bytes);
  std::string hex = "0x";
  for (const unsigned char c : bytes) hex += fmt::format("{:02x}", c);
  return hex;
}

/// Microseconds as a time; null when there was none.
nlohmann::json WatermarkValue(int64_t watermark_us) {
  if (watermark_us == kMinWatermark) return nullptr;
  if (watermark_us == kMaxWatermark) return "end";
  return TimeText(watermark_us / 1000);
}

nlohmann::json EntryJson(std::string_view table, const StateEntry& entry) {
  nlohmann::json json;
  if (entry.key_group != kEverySubtask) json["key_group"] = entry.key_group;
  json["key"] = BytesValue(entry.key);
  if (table == kWatermarkTable && entry.value.size() == sizeof(int64_t)) {
    int64_t watermark_us;
    std::memcpy(&watermark_us, entry.value.data(), sizeof(watermark_us));
    json["value"] = WatermarkValue(watermark_us);
  } else {
    json["value"] = BytesValue(entry.value);
  }
  return json;
}

int List(const CheckpointArguments& arguments) {
  const CheckpointStore store = arguments.Open();
  nlohmann::json all = nlohmann::json::array();
  for (const uint64_t epoch : store.Epochs()) {
    try {
      const Manifest manifest = store.LoadManifest(epoch);
      all.push_back({{"id", epoch},
                     {"kind", CheckpointKindName(manifest.kind)},
                     {"created", TimeText(manifest.created_ms)},
                     {"bytes", manifest.bytes()},
                     {"files", manifest.files.size()},
                     {"operators", manifest.operators.size()}});
    } catch (const ExternalError& error) {
      all.push_back({{"id", epoch}, {"error", error.what()}});
    }
  }
  if (arguments.json) {
    Print(all.dump());
    return kOk;
  }
  Print(fmt::format("{:>8}  {:<10} {:<24} {:>14} {:>6}", "id", "kind", "created", "bytes", "files"));
  for (const auto& one : all) {
    if (one.contains("error")) {
      Print(fmt::format("{:>8}  {}", one["id"].get<uint64_t>(), one["error"].get<std::string>()));
    } else {
      Print(fmt::format("{:>8}  {:<10} {:<24} {:>14} {:>6}", one["id"].get<uint64_t>(),
                        one["kind"].get<std::string>(), one["created"].get<std::string>(),
                        one["bytes"].get<int64_t>(), one["files"].get<size_t>()));
    }
  }
  return kOk;
}

/// Entries of the small tables that say where a job stands: watermarks, source positions.
nlohmann::json SmallTable(const CheckpointStore& store, const Checkpoint& checkpoint,
                          const std::string& operator_id, const std::string& table) {
  nlohmann::json entries = nlohmann::json::object();
  ReadTable(store.objects(), checkpoint, operator_id, table, KeyGroupRange{}, [&](const StateEntry& entry) {
    entries[std::string(entry.key)] = EntryJson(table, entry)["value"];
  });
  return entries;
}

nlohmann::json Describe(const CheckpointStore& store, const Checkpoint& checkpoint) {
  const Manifest& manifest = checkpoint.manifest;
  nlohmann::json operators = nlohmann::json::array();
  for (const ManifestOperator& one : manifest.operators) {
    nlohmann::json tables = nlohmann::json::array();
    nlohmann::json described{
        {"id", one.id}, {"name", one.name}, {"parallelism", one.parallelism}, {"bytes", one.bytes()}};
    for (const ManifestTable& table : one.tables) {
      tables.push_back({{"name", table.spec.name},
                        {"version", table.spec.version},
                        {"layout", table.spec.layout},
                        {"entries", table.entries},
                        {"bytes", table.bytes}});
      if (table.spec.name == "splits")
        described["positions"] = SmallTable(store, checkpoint, one.id, "splits");
      if (table.spec.name == kWatermarkTable) {
        described["watermarks"] = SmallTable(store, checkpoint, one.id, kWatermarkTable);
      }
    }
    described["tables"] = std::move(tables);
    operators.push_back(std::move(described));
  }
  nlohmann::json files = nlohmann::json::array();
  for (const ManifestFile& file : manifest.files) {
    files.push_back({{"name", file.name},
                     {"bytes", file.bytes},
                     {"first_epoch", file.first_epoch},
                     {"last_epoch", file.last_epoch}});
  }
  return {{"id", manifest.epoch},
          {"kind", CheckpointKindName(manifest.kind)},
          {"created", TimeText(manifest.created_ms)},
          {"run", manifest.run},
          {"bytes", manifest.bytes()},
          {"operators", std::move(operators)},
          {"files", std::move(files)}};
}

int Show(const CheckpointArguments& arguments) {
  const CheckpointStore store = arguments.Open();
  const nlohmann::json json = Describe(store, arguments.Load(store));
  if (arguments.json) {
    Print(json.dump());
    return kOk;
  }
  Print(fmt::format("checkpoint {} ({}), {}, {} bytes in {} files", json["id"].get<uint64_t>(),
                    json["kind"].get<std::string>(), json["created"].get<std::string>(),
                    json["bytes"].get<int64_t>(), json["files"].size()));
  for (const auto& one : json["operators"]) {
    Print(fmt::format("{}  {}  parallelism {}, {} bytes", one["id"].get<std::string>(),
                      one["name"].get<std::string>(), one["parallelism"].get<int>(),
                      one["bytes"].get<int64_t>()));
    for (const auto& table : one["tables"]) {
      Print(fmt::format("    table {}: {} entries, {} bytes; {}", table["name"].get<std::string>(),
                        table["entries"].get<int64_t>(), table["bytes"].get<int64_t>(),
                        table["layout"].get<std::string>()));
    }
    for (const char* part : {"positions", "watermarks"}) {
      if (!one.contains(part)) continue;
      for (const auto& [key, value] : one[part].items()) {
        Print(fmt::format("    {} {}: {}", std::string(part).substr(0, std::strlen(part) - 1), key,
                          value.is_string() ? value.get<std::string>() : value.dump()));
      }
    }
  }
  return kOk;
}

int Verify(const CheckpointArguments& arguments, bool all) {
  const CheckpointStore store = arguments.Open();
  std::vector<uint64_t> epochs = store.Epochs();
  if (epochs.empty()) throw ExternalError("state", "no checkpoint below '" + arguments.state.url + "'");
  if (!all) epochs = {arguments.epoch().value_or(epochs.back())};
  bool whole = true;
  for (const uint64_t epoch : epochs) {
    const auto wrong = VerifyCheckpoint(store, epoch);
    for (const std::string& line : wrong)
      std::fprintf(stderr, "checkpoint %llu: %s\n", static_cast<unsigned long long>(epoch), line.c_str());
    if (wrong.empty()) Print(fmt::format("checkpoint {}: whole", epoch));
    whole = whole && wrong.empty();
  }
  return whole ? kOk : kFailed;
}

/// The operator with that id or, when only one has it, that name.
const ManifestOperator& FindOperator(const Manifest& manifest, const std::string& wanted) {
  std::vector<const ManifestOperator*> found;
  std::string known;
  for (const ManifestOperator& one : manifest.operators) {
    if (one.id == wanted || one.name == wanted) found.push_back(&one);
    known += "\n  " + one.id + "  " + one.name;
  }
  if (found.size() == 1) return *found.front();
  throw ExternalError(
      "state", (found.empty() ? "no operator '" : "several operators '") + wanted + "'; there are" + known);
}

struct ReadArguments {
  std::string operator_id;
  std::string table;
  std::string format = "json";
  std::string file;
};

/// The tables to read; ExternalError when that cannot be.
std::vector<const ManifestTable*> ChosenTables(const ManifestOperator& one, const ReadArguments& read) {
  std::vector<const ManifestTable*> chosen;
  std::string known;
  for (const ManifestTable& table : one.tables) {
    if (read.table.empty() || table.spec.name == read.table) chosen.push_back(&table);
    known += (known.empty() ? "" : ", ") + table.spec.name;
  }
  if (chosen.empty()) {
    throw ExternalError("state", "operator " + one.name + " keeps no table '" + read.table + "'" +
                                     (known.empty() ? "" : "; there are " + known));
  }
  if (chosen.size() > 1 && !read.file.empty()) {
    throw ExternalError("state", "a file holds one table: choose with --table one of " + known);
  }
  return chosen;
}

int Read(const CheckpointArguments& arguments, const ReadArguments& read) {
  const bool to_file = read.format == "parquet" || read.format == "arrow";
  if (to_file == read.file.empty()) {
    throw ExternalError("state", to_file ? "--format " + read.format + " needs -o FILE"
                                         : "-o FILE goes with --format parquet or arrow");
  }
  const CheckpointStore store = arguments.Open();
  const Checkpoint checkpoint = arguments.Load(store);
  const ManifestOperator& one = FindOperator(checkpoint.manifest, read.operator_id);
  for (const ManifestTable* table : ChosenTables(one, read)) {
    StateRows rows(table->spec);
    const auto output = MakeStateOutput(read.format, read.file, table->spec.name, rows.schema());
    ReadTable(store.objects(), checkpoint, one.id, table->spec.name, KeyGroupRange{},
              [&](const StateEntry& entry) {
                rows.Add(entry);
                if (rows.size() == kReadRows) output->Write(rows.Take());
              });
    if (rows.size() > 0) output->Write(rows.Take());
    output->Close();
  }
  return kOk;
}

}  // namespace

void AddCheckpoint(CLI::App& app, Command* chosen) {
  auto* command = app.add_subcommand("checkpoint", "Look at the checkpoints below a state URL");
  command->require_subcommand(1);
  auto arguments = std::make_shared<CheckpointArguments>();
  auto* list = command->add_subcommand("ls", "List them");
  auto* show =
      command->add_subcommand("show", "Describe one: operators, bytes, source positions, watermarks");
  auto* verify = command->add_subcommand("verify", "Check every checksum of one, or of --all");
  auto* read = command->add_subcommand("read", "Print an operator's state as rows");
  for (auto* each : {list, show, verify, read}) {
    each->add_option("URL", arguments->state.url, "What `laminar run --state` was given")->required();
    arguments->state.AddOptionsTo(*each);
    if (each != list) each->add_option("ID", arguments->id, "latest (default), or a number of `ls`");
  }
  list->add_flag("--json", arguments->json, "As JSON");
  show->add_flag("--json", arguments->json, "As JSON");
  auto all = std::make_shared<bool>(false);
  verify->add_flag("--all", *all, "All checkpoints");
  auto what = std::make_shared<ReadArguments>();
  read->add_option("--operator", what->operator_id, "Id or name of an operator, as `show` lists them")
      ->required();
  read->add_option("--table", what->table, "One table of it (default: all)");
  read->add_option("--format", what->format, "json (default; a line per row), table, parquet or arrow")
      ->check(CLI::IsMember({"json", "table", "parquet", "arrow"}));
  read->add_option("-o", what->file, "File for parquet and arrow");
  list->callback([=] { *chosen = [=] { return List(*arguments); }; });
  show->callback([=] { *chosen = [=] { return Show(*arguments); }; });
  verify->callback([=] { *chosen = [=] { return Verify(*arguments, *all); }; });
  read->callback([=] { *chosen = [=] { return Read(*arguments, *what); }; });
}

}  // namespace laminar::cli
