#include "operators/window_aggregate.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "operators/distinct_sets.h"
#include "operators/session_aggregate.h"
#include "operators/window_times.h"
#include "state/keyed_map.h"
#include "state/row_bytes.h"

namespace laminar {

namespace {

constexpr int64_t kOutputGroups = 8192;  // per output batch
constexpr int64_t kMergeGroups = 4096;   // per call of Merge: their pointers stay in the cache
constexpr int64_t kTreePanesMin = 16;    // windows of more panes are put together from merged runs of panes

using Columns = std::vector<std::shared_ptr<arrow::Array>>;

/// [start, end): a pane of the grid, or with kFromColumns a whole window.
struct Span {
  int64_t end;
  int64_t start;
  bool operator<(const Span& other) const { return end != other.end ? end < other.end : start < other.start; }
  bool operator==(const Span&) const = default;
};

struct SpanHash {
  size_t operator()(const Span& span) const {
    return static_cast<size_t>(span.start * 0x9E3779B97F4A7C15) ^ static_cast<size_t>(span.end);
  }
};

/// The groups of one pane.
struct Pane {
  Pane(const std::vector<std::shared_ptr<arrow::DataType>>& key_types, const AccumulatorSet& accumulators,
       const DistinctPlan& plan)
      : groups(key_types, accumulators.record_bytes()), accumulators(accumulators) {
    if (!plan.empty()) distinct = std::make_unique<DistinctSets>(plan, DistinctSets::Mode::kLater);
  }
  ~Pane() {
    if (!accumulators.owns_memory()) return;
    for (uint32_t slot = 0; slot < groups.slots_end(); ++slot) accumulators.Destroy(groups.record(slot));
  }
  Pane(Pane&&) = delete;

  /// To be called before its records change without being dirty, or go.
  void FinishSnapshot() {
    groups.FinishSnapshot();
    if (distinct) distinct->FinishSnapshot();
  }

  KeyedMap groups;                         // never loses a key: slots are 0..size−1
  std::unique_ptr<DistinctSets> distinct;  // null pointer when no call is DISTINCT
  const AccumulatorSet& accumulators;
};

class WindowAggregate final : public Operator {
 public:
  explicit WindowAggregate(WindowAggregateOptions options)
      : options_(std::move(options)),
        from_columns_(options_.window.kind == WindowKind::kFromColumns),
        grid_(from_columns_ ? WindowSpec{.size_us = 1} : options_.window),
        accumulators_(options_.calls, 0),
        plan_(options_.calls, options_.input),
        key_types_(PickTypes(options_.input, options_.keys)),
        keys_(key_types_),
        deleted_tuples_(plan_.sets().size()) {}

  std::vector<StateTableSpec> state_tables() const override {
    std::string layout;
    for (const int key : options_.keys) layout += options_.input.fields[key].type.ToString() + ", ";
    layout += "-> " + accumulators_.Layout();
    const StatePart key = StatePart::Key(PickFields(options_.input, options_.keys));
    const StatePart pane =
        StatePart::Sequence({{"pane_start", Type::Timestamp()}, {"pane_end", Type::Timestamp()}});
    std::vector<StateTableSpec> tables{{"panes", 1, layout, {pane, key}, accumulators_.StateParts()},
                                       ProgressTable("watermark")};
    for (size_t set = 0; set < plan_.sets().size(); ++set) {
      tables.push_back(DistinctTable(DistinctSets::TableName(set), layout, plan_.sets()[set], options_.input,
                                     /*counts=*/false, {pane}, {key}));
    }
    return tables;
  }

  void OnBatch(int, Batch batch, Output&) override {
    SplitByPane(batch);
    keys_.Assign(PickColumns(batch, options_.keys), batch.num_rows);
    for (Part& part : parts_) {
      const int64_t last_end = from_columns_ ? part.span.end : grid_.LastEnd(part.span.start);
      const bool all = part.rows.empty();
      const int64_t count = all ? batch.num_rows : static_cast<int64_t>(part.rows.size());
      if (last_end <= closed_us_) {
        context_.metrics->late_rows.Add(count);
        continue;
      }
      ForgetRuns(part.span);
      AddRows(batch, all ? nullptr : part.rows.data(), count, PaneAt(part.span));
    }
  }

  void OnWatermark(int64_t watermark_us, Output& out) override {
    if (watermark_us < watermark_us_) return;  // an equal one is announced again after a restore
    watermark_us_ = watermark_us;
    if (!options_.window.processing_time || watermark_us == kMaxWatermark) {
      Close(watermark_us, out);
      out.EmitWatermark(watermark_us);
    }
  }

  std::optional<int64_t> next_timer_us() const override {
    if (!options_.window.processing_time || panes_.empty()) return std::nullopt;
    return grid_.NextEnd(panes_.begin()->first.start, closed_us_);
  }

  void OnTimer(int64_t now_us, Output& out) override {
    if (!options_.window.processing_time || now_us <= closed_us_) return;
    Close(now_us, out);
    out.EmitWatermark(now_us);
  }

  void OnFlush(Output&) override {
    int64_t rows = 0;
    for (const auto& [span, pane] : panes_)
      rows += pane->groups.size() + (pane->distinct ? pane->distinct->size() : 0);
    context_.metrics->state_rows.Set(rows);
  }

  void Snapshot(SnapshotWriter& writer) override {
    deleted_groups_.Write(writer.Table("panes"));
    for (size_t set = 0; set < plan_.sets().size(); ++set)
      deleted_tuples_[set].Write(writer.Table(DistinctSets::TableName(set)));
    for (const auto& [span, pane] : panes_) SnapshotPane(span, *pane, writer);
    if (options_.window.processing_time) {
      SnapshotSentWindows(writer.Table(kProgressTable));
    } else {
      SnapshotProgress(writer, closed_us_);
    }
  }

  void Restore(const SnapshotReader& reader) override {
    if (options_.window.processing_time) {
      RestoreSentWindows(reader);
    } else {
      closed_us_ = watermark_us_ = RestoreProgress(reader);
    }
    reader.ForEach("panes", [this](const StateEntry& entry) {
      std::string_view key = entry.key;
      Pane& pane = PaneAt(TakeSpan(&key));
      const uint32_t slot = pane.groups.Restore(key);
      accumulators_.Deserialize(entry.value, pane.groups.record(slot));
    });
    for (size_t set = 0; set < plan_.sets().size(); ++set) {
      reader.ForEach(DistinctSets::TableName(set), [&](const StateEntry& entry) {
        std::string_view key = entry.key;
        Pane& pane = PaneAt(TakeSpan(&key));
        const auto length = TakePlain<uint32_t>(&key);
        pane.distinct->Restore(set, pane.groups.Restore(key.substr(0, length)), key.substr(length),
                               entry.value);
      });
    }
  }

 private:
  /// The rows of a batch that go to one pane. No rows: all of the batch.
  struct Part {
    Span span;
    std::vector<int32_t> rows;
  };

  void SnapshotPane(const Span& span, Pane& pane, SnapshotWriter& writer) {
    const std::string prefix = PrefixOf(span);
    const KeyedMap& map = pane.groups;
    pane.groups.Snapshot(
        writer, "panes",
        [this, &map](uint32_t slot, std::string* out) { accumulators_.Serialize(map.record(slot), out); },
        prefix, KeyGroupOfPane(span));
    if (!pane.distinct) return;
    pane.distinct->Snapshot(writer, [&map, prefix, key_group = KeyGroupOfPane(span), key = std::string()](
                                        size_t, uint32_t owner, std::string_view tuple,
                                        std::string_view value, StateWriter& out) mutable {
      out.Put(key_group.value_or(KeyGroupOf(map.hash(owner))), TupleKey(prefix, map, owner, tuple, &key),
              value);
    });
  }

  // Keys in snapshots: start, end of the pane (8 bytes each, in order), then the group key. DISTINCT: start,
  // end, uint32 length of the group key, group key, tuple.

  /// Without keys, rows that are windowed already are dealt by their window's start; otherwise by the keys
  /// (nullopt).
  std::optional<uint16_t> KeyGroupOfPane(const Span& span) const {
    if (!from_columns_ || !options_.keys.empty()) return std::nullopt;
    std::string key;
    AppendPlain(span.start, &key);
    return KeyGroupOf(HashKey(key));
  }
  static std::string PrefixOf(const Span& span) {
    std::string prefix;
    AppendSequence(span.start, &prefix);
    AppendSequence(span.end, &prefix);
    return prefix;
  }
  static Span TakeSpan(std::string_view* key) {
    LAMINAR_CHECK(key->size() >= 16, "a state entry's key is too short");
    const Span span{.end = ReadSequence(key->substr(8)), .start = ReadSequence(*key)};
    key->remove_prefix(16);
    return span;
  }
  static std::string_view TupleKey(const std::string& prefix, const KeyedMap& groups, uint32_t owner,
                                   std::string_view tuple, std::string* key) {
    key->assign(prefix).append(sizeof(uint32_t), '\0');
    const size_t begin = key->size();
    groups.AppendKey(owner, key);
    const auto length = static_cast<uint32_t>(key->size() - begin);
    std::memcpy(key->data() + prefix.size(), &length, sizeof length);
    key->append(tuple);
    return *key;
  }

  // Processing time: each subtask fires by its own timer, so up to which end windows have been sent is kept
  // by key group. A subtask that takes over groups of several others starts from the least and leaves out,
  // window by window, the groups that have sent it already.

  void SnapshotSentWindows(StateWriter& table) {
    if (saved_us_ == closed_us_) return;
    saved_us_ = closed_us_;
    for (int group = context_.key_groups.begin; group < context_.key_groups.end; ++group) {
      const auto sent = sent_us_.find(static_cast<uint16_t>(group));
      std::string value;
      AppendPlain(std::max(closed_us_, sent == sent_us_.end() ? kMinWatermark : sent->second), &value);
      table.Put(static_cast<uint16_t>(group), "watermark", value);
    }
  }

  void RestoreSentWindows(const SnapshotReader& reader) {
    reader.ForEach(kProgressTable, [this](const StateEntry& entry) {
      std::string_view value = entry.value;
      const auto sent_us = TakePlain<int64_t>(&value);
      // kMaxWatermark was written after the end of the data: a source that goes on opens windows again.
      if (sent_us != kMaxWatermark) sent_us_[entry.key_group] = sent_us;
    });
    if (sent_us_.empty()) return;
    const auto [least, most] = std::minmax_element(
        sent_us_.begin(), sent_us_.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    closed_us_ = least->second;
    sent_us_max_ = most->second;
  }

  bool HasSent(const Pane& pane, uint32_t slot, int64_t end_us) const {
    const auto sent = sent_us_.find(KeyGroupOf(pane.groups.hash(slot)));
    return sent != sent_us_.end() && end_us <= sent->second;
  }

  Pane& PaneAt(const Span& span) {
    std::unique_ptr<Pane>& pane = panes_[span];
    if (!pane) pane = std::make_unique<Pane>(key_types_, accumulators_, plan_);
    return *pane;
  }

  // Rows in

  /// Fills parts_. Rows without time are counted and left out.
  void SplitByPane(const Batch& batch) {
    parts_.clear();
    if (options_.window.processing_time) {
      const int64_t now_us =
          std::max(context_.clock->now_us(), closed_us_);  // the wall clock may be set back
      const int64_t start = grid_.PaneStart(now_us);
      parts_.push_back({{.end = start + grid_.pane_us(), .start = start}, {}});
      return;
    }
    bool has_nulls = false, end_nulls = false;
    ReadTimes(*batch.columns[from_columns_ ? options_.start_column : options_.time_column], &times_, &rows_,
              &has_nulls);
    if (from_columns_) {
      ReadTimes(*batch.columns[options_.end_column], &ends_, &rows_, &end_nulls);
      if (has_nulls || end_nulls) {
        rows_.clear();
        for (int64_t row = 0; row < batch.num_rows; ++row) {
          if (batch.columns[options_.start_column]->IsNull(row) ||
              batch.columns[options_.end_column]->IsNull(row))
            continue;
          rows_.push_back(static_cast<int32_t>(row));
        }
        has_nulls = true;
      }
    }
    if (has_nulls) context_.metrics->bad_records.Add(batch.num_rows - static_cast<int64_t>(rows_.size()));
    const int64_t count = has_nulls ? static_cast<int64_t>(rows_.size()) : batch.num_rows;
    if (count == 0) return;
    part_of_.resize(static_cast<size_t>(count));
    int32_t current = -1;
    std::unordered_map<Span, int32_t, SpanHash> known;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t row = has_nulls ? rows_[i] : i;
      if (current < 0 || !IsIn(parts_[current].span, row)) current = FindPart(SpanOf(row), &known);
      part_of_[i] = current;
    }
    if (parts_.size() == 1 && !has_nulls) return;
    for (int64_t i = 0; i < count; ++i) {
      parts_[part_of_[i]].rows.push_back(has_nulls ? rows_[i] : static_cast<int32_t>(i));
    }
  }

  bool IsIn(const Span& span, int64_t row) const {
    if (from_columns_) return span.start == times_[row] && span.end == ends_[row];
    return times_[row] >= span.start && times_[row] < span.end;
  }

  Span SpanOf(int64_t row) const {
    if (from_columns_) return {.end = ends_[row], .start = times_[row]};
    const int64_t start = grid_.PaneStart(times_[row]);
    return {.end = start + grid_.pane_us(), .start = start};
  }

  int32_t FindPart(const Span& span, std::unordered_map<Span, int32_t, SpanHash>* known) {
    const auto [entry, is_new] = known->try_emplace(span, static_cast<int32_t>(parts_.size()));
    if (is_new) parts_.push_back({span, {}});
    return entry->second;
  }

  void AddRows(const Batch& batch, const int32_t* rows, int64_t count, Pane& pane) {
    slots_.resize(static_cast<size_t>(count));
    records_.resize(static_cast<size_t>(count));
    inserted_.clear();
    pane.groups.FindOrInsert(keys_, rows, count, slots_.data(), &inserted_);
    for (const uint32_t slot : inserted_) accumulators_.Init(pane.groups.record(slot));
    pane.groups.MarkDirty(slots_.data(), count);
    uint8_t* const base = pane.groups.record(0);
    const int64_t stride = pane.groups.stride();
    for (int64_t i = 0; i < count; ++i) records_[i] = base + slots_[i] * stride;
    accumulators_.Update(batch, rows, count, records_.data());
    if (pane.distinct) pane.distinct->Add(batch, rows, count, slots_.data(), records_.data(), &accumulators_);
  }

  // Windows out

  /// Sends all windows with end ≤ `time_us`, in order, and drops what no later window needs.
  void Close(int64_t time_us, Output& out) {
    while (!panes_.empty()) {
      const Span first = panes_.begin()->first;
      if (from_columns_) {
        if (first.end > time_us) break;
        SendGroups(*panes_.begin()->second, first, out);
        DropFirstPane();
        continue;
      }
      // The first pane has the earliest window that has not closed.
      const int64_t end = grid_.NextEnd(first.start, closed_us_);
      if (end > time_us) break;
      SendWindow({.end = end, .start = grid_.WindowStart(end)}, out);
      closed_us_ = std::max(closed_us_, end);
      while (!panes_.empty() && grid_.LastEnd(panes_.begin()->first.start) <= closed_us_) DropFirstPane();
    }
    closed_us_ = std::max(closed_us_, time_us);
  }

  void SendWindow(const Span& window, Output& out) {
    std::vector<Pane*> parts;
    if (window.end - window.start >= kTreePanesMin * grid_.pane_us()) {
      CollectRuns(window, &parts);
    } else {
      for (auto at = panes_.begin(); at != panes_.end() && at->first.start < window.end; ++at) {
        parts.push_back(at->second.get());
      }
    }
    const bool is_last = grid_.LastEnd(panes_.begin()->first.start) <= window.end;
    if (parts.size() == 1 && (is_last || plan_.empty())) {
      SendGroups(*parts[0], window, out);
      return;
    }
    Pane merged(key_types_, accumulators_, plan_);
    int64_t groups = 0;
    for (const Pane* part : parts) groups = std::max(groups, part->groups.size());
    merged.groups.Reserve(groups);
    for (const Pane* part : parts) MergePane(*part, &merged);
    SendGroups(merged, window, out);
  }

  // Runs of panes. A window of n panes is cut into at most 2 log n runs of 2^level panes, aligned to
  // multiples of 2^level, and a run is merged once, from its halves, for all windows that hold it. That pays
  // only where groups come again from pane to pane: a run that is hardly smaller than its halves is not kept,
  // and its halves stand for it.

  struct RunId {
    int level;
    int64_t index;  // covers panes [index << level, (index + 1) << level), counted from 1970
    auto operator<=>(const RunId&) const = default;
  };

  int64_t PaneIndex(int64_t start_us) const {
    return start_us / grid_.pane_us() - (start_us % grid_.pane_us() < 0 ? 1 : 0);
  }

  void CollectRuns(const Span& window, std::vector<Pane*>* parts) {
    const int64_t remainder = window.start - PaneIndex(window.start) * grid_.pane_us();
    const int64_t end = PaneIndex(window.end);
    for (int64_t at = PaneIndex(window.start); at < end;) {
      int level = 0;
      while (((at >> level) & 1) == 0 && at + (int64_t{2} << level) <= end) ++level;
      CollectRun({level, at >> level}, remainder, parts);
      at += int64_t{1} << level;
    }
  }

  /// Appends what together holds the run: nothing, one merged run or pane, or several.
  void CollectRun(const RunId& run, int64_t remainder, std::vector<Pane*>* parts) {
    if (run.level == 0) {
      const int64_t start = run.index * grid_.pane_us() + remainder;
      const auto pane = panes_.find({.end = start + grid_.pane_us(), .start = start});
      if (pane != panes_.end()) parts->push_back(pane->second.get());
      return;
    }
    const auto known = runs_.find(run);
    if (known != runs_.end() && known->second) {
      parts->push_back(known->second.get());
      return;
    }
    const size_t first = parts->size();
    CollectRun({run.level - 1, run.index * 2}, remainder, parts);
    CollectRun({run.level - 1, run.index * 2 + 1}, remainder, parts);
    if (known != runs_.end() || parts->size() != first + 2) return;
    auto merged = std::make_unique<Pane>(key_types_, accumulators_, plan_);
    const int64_t groups = (*parts)[first]->groups.size() + (*parts)[first + 1]->groups.size();
    merged->groups.Reserve(groups / 2);
    for (size_t half = first; half < first + 2; ++half) MergePane(*(*parts)[half], merged.get());
    if (merged->groups.size() * 4 > groups * 3) merged.reset();
    if (merged) {
      parts->resize(first);
      parts->push_back(merged.get());
    }
    runs_[run] = std::move(merged);
  }

  /// The pane changes or goes: so do the runs that hold it.
  void ForgetRuns(const Span& pane) {
    if (runs_.empty()) return;
    int64_t index = PaneIndex(pane.start);
    for (int level = 1; level < 62 && !runs_.empty(); ++level) runs_.erase({level, index >>= 1});
  }

  void MergePane(const Pane& part, Pane* into) {
    const uint32_t count = part.groups.slots_end();
    std::vector<uint32_t> owners(count);  // slots in `into`
    std::vector<uint32_t> from(kMergeGroups);
    std::vector<const uint8_t*> from_records;
    for (uint32_t begin = 0; begin < count; begin += kMergeGroups) {
      const uint32_t rows = std::min<uint32_t>(kMergeGroups, count - begin);
      for (uint32_t i = 0; i < rows; ++i) from[i] = begin + i;
      part.groups.ExportKeys(from.data(), rows, &keys_);
      inserted_.clear();
      into->groups.FindOrInsert(keys_, nullptr, rows, owners.data() + begin, &inserted_);
      for (const uint32_t slot : inserted_) accumulators_.Init(into->groups.record(slot));
      records_.resize(rows);
      from_records.resize(rows);
      for (uint32_t i = 0; i < rows; ++i) {
        records_[i] = into->groups.record(owners[begin + i]);
        from_records[i] = part.groups.record(begin + i);
      }
      accumulators_.Merge(records_.data(), from_records.data(), rows);
    }
    if (part.distinct) into->distinct->AddFrom(*part.distinct, owners);
  }

  /// Sends all groups of a pane as those of `window`. With DISTINCT the pane is used up by it.
  void SendGroups(Pane& pane, const Span& window, Output& out) {
    if (pane.distinct) {
      pane.FinishSnapshot();
      pane.distinct->UpdateFromEntries([&](uint32_t owner) { return pane.groups.record(owner); },
                                       &accumulators_);
    }
    const int64_t count = pane.groups.size();
    const bool some_sent = window.end <= sent_us_max_;
    std::vector<uint32_t> slots;
    for (int64_t begin = 0; begin < count; begin += kOutputGroups) {
      slots.clear();
      for (int64_t slot = begin; slot < std::min(begin + kOutputGroups, count); ++slot) {
        if (!some_sent || !HasSent(pane, static_cast<uint32_t>(slot), window.end))
          slots.push_back(static_cast<uint32_t>(slot));
      }
      const auto rows = static_cast<int64_t>(slots.size());
      if (rows == 0) continue;
      records_.resize(slots.size());
      for (int64_t i = 0; i < rows; ++i) records_[i] = pane.groups.record(slots[i]);
      Batch batch{
          .num_rows = rows, .columns = pane.groups.DecodeKeys(slots.data(), rows), .weights = nullptr};
      for (auto& column : accumulators_.Finish(records_.data(), rows))
        batch.columns.push_back(std::move(column));
      batch.columns.push_back(TimestampColumn(window.start, rows));
      batch.columns.push_back(TimestampColumn(window.end, rows));
      out.Emit(std::move(batch));
    }
  }

  void DropFirstPane() {
    const auto first = panes_.begin();
    ForgetRuns(first->first);
    const std::string prefix = PrefixOf(first->first);
    const std::optional<uint16_t> key_group = KeyGroupOfPane(first->first);
    Pane& pane = *first->second;
    pane.FinishSnapshot();
    std::string key;
    if (pane.distinct) {
      pane.distinct->ForEachPersisted([&](size_t set, uint32_t owner, std::string_view tuple) {
        deleted_tuples_[set].Add(key_group.value_or(KeyGroupOf(pane.groups.hash(owner))),
                                 TupleKey(prefix, pane.groups, owner, tuple, &key));
      });
    }
    if (accumulators_.owns_memory()) {
      for (uint32_t slot = 0; slot < pane.groups.slots_end(); ++slot)
        accumulators_.Destroy(pane.groups.record(slot));
    }
    pane.groups.ClearInto(&deleted_groups_, prefix, key_group);
    panes_.erase(first);
  }

  const WindowAggregateOptions options_;
  const bool from_columns_;
  const PaneGrid grid_;
  AccumulatorSet accumulators_;
  DistinctPlan plan_;
  std::vector<std::shared_ptr<arrow::DataType>> key_types_;
  KeyBatch keys_;

  std::map<Span, std::unique_ptr<Pane>> panes_;
  std::map<RunId, std::unique_ptr<Pane>> runs_;  // null pointer: not worth merging
  int64_t watermark_us_ = kMinWatermark;         // of the input
  int64_t closed_us_ = kMinWatermark;  // windows that end by then have been sent; event time: the watermark
  int64_t saved_us_ = kMinWatermark;   // processing time: closed_us_ of the last snapshot
  std::map<uint16_t, int64_t>
      sent_us_;  // processing time, restored: by key group, end of the last window sent
  int64_t sent_us_max_ = kMinWatermark;
  DeletedKeys deleted_groups_;
  std::vector<DeletedKeys> deleted_tuples_;  // by set

  // Scratch of one batch.
  std::vector<Part> parts_;
  std::vector<int32_t> part_of_, rows_;
  std::vector<int64_t> times_, ends_;
  std::vector<uint32_t> slots_, inserted_;
  std::vector<uint8_t*> records_;
};

}  // namespace

std::unique_ptr<Operator> MakeWindowAggregate(WindowAggregateOptions options) {
  if (options.window.kind == WindowKind::kSession) return MakeSessionAggregate(std::move(options));
  return std::make_unique<WindowAggregate>(std::move(options));
}

}  // namespace laminar
