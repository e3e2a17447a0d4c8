#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "base/error.h"
#include "base/random_id.h"
#include "jobs/job_run.h"
#include "runtime/node.h"

namespace laminar {

namespace {

/// How often a run that lost the race for the next number looks again before it gives up.
constexpr int kSealTries = 20;
/// Names of outputs in a warning.
constexpr size_t kOutputsShown = 100;

std::vector<StateTableSpec> TablesOf(const GraphNode& node) {
  if (node.make_source) return node.make_source()->state_tables();
  if (node.make_sink) return node.make_sink()->state_tables();
  auto tables = node.make_operator()->state_tables();
  if (!tables.empty()) tables.push_back(WatermarkTableSpec());
  return tables;
}

template <typename Items>
auto FindById(Items& items, const std::string& id) {
  return std::find_if(items.begin(), items.end(), [&](const auto& each) { return each.id == id; });
}

std::string Describe(const ManifestOperator& one) { return one.name + " (" + one.id + ")"; }

std::string Joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += "\n  " + line;
  return text;
}

void RefuseMismatch(const StateMismatch& mismatch, uint64_t epoch, bool allow_drop) {
  std::vector<std::string> lines = mismatch.different;
  if (!allow_drop) lines.insert(lines.end(), mismatch.missing.begin(), mismatch.missing.end());
  if (lines.empty()) return;
  const bool droppable = mismatch.different.empty();
  throw ExternalError("state",
                      fmt::format("checkpoint {} does not fit this script:{}\n{}", epoch, Joined(lines),
                                  droppable ? "give --allow-drop-state to go on without that state"
                                            : "run the script that wrote it, or start anew with --restore "
                                              "none"));
}

std::set<std::string> OutputsIn(const Sink& sink, const CheckpointStore& store, const Checkpoint& checkpoint,
                                const std::string& operator_id) {
  const auto shared = std::make_shared<const Checkpoint>(checkpoint);
  const auto reader = ReadOperator(store.shared_objects(), shared, operator_id, KeyGroupRange{});
  if (reader == nullptr) return {};
  const auto names = sink.OutputsIn(*reader);
  return {names.begin(), names.end()};
}

/// What each sink put into place after the checkpoint that a run goes back to, one text per sink.
std::vector<std::string> LaterOutputs(const JobGraph& graph, const CheckpointStore& store,
                                      const Checkpoint& start) {
  std::vector<uint64_t> later = store.Epochs();
  std::erase_if(later, [&](uint64_t epoch) { return epoch <= start.manifest.epoch; });
  std::vector<std::string> texts;
  for (const GraphNode& node : graph.nodes) {
    if (later.empty() || !node.make_sink) continue;
    const auto sink = node.make_sink();
    const auto before = OutputsIn(*sink, store, start, node.operator_id);
    std::set<std::string> names;
    for (const uint64_t epoch : later) {
      try {
        const auto found = store.Load(epoch, nullptr);
        for (const std::string& name : OutputsIn(*sink, store, *found, node.operator_id)) {
          if (before.count(name) == 0) names.insert(name);
        }
      } catch (const ExternalError&) {  // it is damaged, which may be why the run goes back
      }
    }
    if (names.empty()) continue;
    std::string text;
    size_t shown = 0;
    for (const std::string& name : names) {
      if (shown++ < kOutputsShown) text += (text.empty() ? "" : ", ") + name;
    }
    if (names.size() > kOutputsShown) text += fmt::format(" and {} more", names.size() - kOutputsShown);
    texts.push_back(
        fmt::format("{} put {} files into place after checkpoint {}; they stay, and their rows will be "
                    "written again: remove {}",
                    node.name, names.size(), start.manifest.epoch, text));
  }
  return texts;
}

/// That of the newest manifest; `run` when there is none: this is the first run.
std::string JobIdBelow(const CheckpointStore& store, const std::string& run) {
  const auto epochs = store.Epochs();
  for (auto epoch = epochs.rbegin(); epoch != epochs.rend(); ++epoch) {
    try {
      return store.LoadManifest(*epoch).job;
    } catch (const StateDamaged&) {  // an older one has it too
    }
  }
  return run;
}

/// Rewrites the chain as one file without operators that `manifest` does not have, so that one that comes
/// back later does not find what it had then.
void DropOthers(CheckpointStore& store, Checkpoint* checkpoint, const std::string& run) {
  const auto known = [&](const StateSection& section) {
    const auto found = FindById(checkpoint->manifest.operators, section.operator_id);
    return found != checkpoint->manifest.operators.end();
  };
  const bool needed = std::any_of(checkpoint->files.begin(), checkpoint->files.end(), [&](const auto& file) {
    return !std::all_of(file.sections.begin(), file.sections.end(), known);
  });
  if (!needed) return;
  StateFileWriter out(store.objects(),
                      fmt::format("data/{:020}-{}-kept.state", checkpoint->manifest.epoch, run),
                      StateFileWriter::Use::kMerged);
  MergeFiles(store.objects(), checkpoint->manifest.operators, checkpoint->files, /*keep_deletes=*/false, out);
  StateFileInfo file = out.Finish();
  file.first_epoch = checkpoint->files.front().first_epoch;
  file.last_epoch = checkpoint->files.back().last_epoch;
  checkpoint->files.assign(1, std::move(file));
}

}  // namespace

std::optional<RestoreChoice> RestoreChoice::Parse(const std::string& text) {
  if (text == "latest") return RestoreChoice{Kind::kLatest, 0};
  if (text == "none") return RestoreChoice{Kind::kNone, 0};
  uint64_t epoch = 0;
  const char* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, epoch);
  if (parsed.ec != std::errc() || parsed.ptr != end || text.empty()) return std::nullopt;
  return RestoreChoice{Kind::kEpoch, epoch};
}

std::vector<ManifestOperator> DeclaredState(const JobGraph& graph) {
  std::vector<ManifestOperator> declared;
  for (const GraphNode& node : graph.nodes) {
    ManifestOperator one{node.operator_id, node.name, node.parallelism, {}};
    for (StateTableSpec& spec : TablesOf(node)) one.tables.push_back({std::move(spec), 0, 0});
    if (!one.tables.empty()) declared.push_back(std::move(one));
  }
  return declared;
}

StateMismatch CompareState(const Manifest& manifest, const std::vector<ManifestOperator>& declared) {
  StateMismatch mismatch;
  for (const ManifestOperator& kept : manifest.operators) {
    if (kept.entries() == 0) continue;
    const auto found = FindById(declared, kept.id);
    if (found == declared.end()) {
      mismatch.missing.push_back(Describe(kept) + ": the script has no such operator any more");
      continue;
    }
    for (const ManifestTable& table : kept.tables) {
      if (table.entries == 0) continue;
      const auto same = std::find_if(found->tables.begin(), found->tables.end(),
                                     [&](const auto& each) { return each.spec.name == table.spec.name; });
      if (same == found->tables.end()) {
        mismatch.different.push_back(
            fmt::format("{}: it keeps no table '{}' any more", Describe(kept), table.spec.name));
      } else if (same->spec.version != table.spec.version) {
        mismatch.different.push_back(fmt::format("{}: table '{}' has version {}, the checkpoint's has {}",
                                                 Describe(kept), table.spec.name, same->spec.version,
                                                 table.spec.version));
      } else if (same->spec.layout != table.spec.layout) {
        mismatch.different.push_back(fmt::format("{}: table '{}' holds '{}', the checkpoint's holds '{}'",
                                                 Describe(kept), table.spec.name, same->spec.layout,
                                                 table.spec.layout));
      }
    }
  }
  return mismatch;
}

JobState::JobState(const JobGraph& graph, const StateOptions& options, const Clock* clock)
    : store_(std::make_shared<CheckpointStore>(options.objects)) {
  options.objects->Lock();
  Checkpoint sealed{TakeOver(graph, options, clock), base_->files};
  writer_ = std::make_unique<CheckpointWriter>(store_, std::move(sealed), clock, options.checkpoints);
  try {
    store_->Retire(options.checkpoints.keep, [](const std::string&) { return false; });
    store_->RemoveUnfinished();
  } catch (const ExternalError& error) {
    warnings_.push_back(error.what());
  }
}

Manifest JobState::TakeOver(const JobGraph& graph, const StateOptions& options, const Clock* clock) {
  const std::vector<ManifestOperator> declared = DeclaredState(graph);
  const std::string run = Hex16(RandomWord());
  for (int attempt = 0; attempt < kSealTries; ++attempt) {
    warnings_.clear();
    Checkpoint start;
    restored_epoch_.reset();
    if (options.restore.kind != RestoreChoice::Kind::kNone) {
      const bool latest = options.restore.kind == RestoreChoice::Kind::kLatest;
      auto found = store_->Load(latest ? std::nullopt : std::optional(options.restore.epoch), &warnings_);
      if (found) {
        start = std::move(*found);
        restored_epoch_ = start.manifest.epoch;
        restored_run_ = start.manifest.run;
        RefuseMismatch(CompareState(start.manifest, declared), start.manifest.epoch, options.allow_drop);
        if (!latest) {
          for (std::string& text : LaterOutputs(graph, *store_, start)) warnings_.push_back(std::move(text));
        }
      }
    }
    const auto epochs = store_->Epochs();
    if (start.manifest.job.empty()) start.manifest.job = JobIdBelow(*store_, run);
    start.manifest.epoch = epochs.empty() ? 1 : epochs.back() + 1;
    start.manifest.operators = declared;
    DropOthers(*store_, &start, run);
    start.manifest.kind = CheckpointKind::kSeal;
    start.manifest.created_ms = clock->now_us() / 1000;
    start.manifest.run = run;
    DescribeFiles(start.files, &start.manifest);
    if (!store_->Seal(start.manifest)) continue;
    base_ = std::make_shared<const Checkpoint>(start);
    return start.manifest;
  }
  throw ExternalError("state", "'" + options.objects->url() + "' is in use by another running job");
}

RestoreFunction JobState::restore() const {
  if (!restored_epoch_) return nullptr;
  return [objects = store_->shared_objects(), base = base_](const std::string& operator_id,
                                                            KeyGroupRange range) {
    return ReadOperator(objects, base, operator_id, range);
  };
}

RestoreFunction JobState::ChangesSince(const Checkpoint& older) const {
  const uint64_t epoch = older.manifest.epoch;
  // One run wrote both: nothing but its changes lies between them.
  if (!restored_epoch_ || *restored_epoch_ < epoch || restored_run_ != older.manifest.run) return nullptr;
  for (const StateFileInfo& file : base_->files) {
    // Merged from what was before and after: deletes may be gone from it.
    if (file.first_epoch <= epoch && file.last_epoch > epoch) return nullptr;
  }
  return [objects = store_->shared_objects(), base = base_, epoch](const std::string& operator_id,
                                                                   KeyGroupRange range) {
    return ReadChanges(objects, base, epoch, operator_id, range);
  };
}

std::unique_ptr<SnapshotWriter> DurableCollector::Writer(uint64_t, const std::string& operator_id, int) {
  class Forward final : public SnapshotWriter {
   public:
    explicit Forward(std::shared_ptr<SnapshotBuffer> buffer) : buffer_(std::move(buffer)) {}
    StateWriter& Table(std::string_view name) override { return buffer_->Table(name); }

   private:
    const std::shared_ptr<SnapshotBuffer> buffer_;
  };
  return std::make_unique<Forward>(writer_.NewBuffer(operator_id));
}

}  // namespace laminar
