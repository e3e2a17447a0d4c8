#include "operators/group_aggregate.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>

#include <algorithm>

#include "base/arrow_result.h"
#include "operators/distinct_sets.h"
#include "operators/row_changes.h"
#include "state/keyed_map.h"
#include "state/row_bytes.h"

namespace laminar {

namespace {

// A group's record: int64 row count, int64 time last touched (with a TTL), accumulators.
constexpr int64_t kTouchedOffset = 8;
constexpr uint8_t kPending = 1;         // mark: changed since the last flush
constexpr uint8_t kHasOutput = 2;       // mark: its row was sent and holds
constexpr int64_t kFlushGroups = 4096;  // per output batch
constexpr int64_t kSweepsPerTtl = 8;
constexpr size_t kPrefetchAhead = 16;

using Columns = std::vector<std::shared_ptr<arrow::Array>>;

class GroupAggregate final : public Operator {
 public:
  explicit GroupAggregate(GroupAggregateOptions options)
      : options_(std::move(options)),
        has_ttl_(options_.ttl_us > 0 && !options_.keys.empty()),
        accumulators_(options_.calls, has_ttl_ ? 16 : 8),
        plan_(options_.calls, options_.input),
        keys_(PickTypes(options_.input, options_.keys)),
        groups_(PickTypes(options_.input, options_.keys), accumulators_.record_bytes()),
        distinct_(plan_, options_.input_retracts ? DistinctSets::Mode::kCounts : DistinctSets::Mode::kBits) {
    deleted_tuples_.resize(plan_.sets().size());
    distinct_.OnForgotten(
        [this](size_t set, uint32_t owner, std::string_view tuple) { ForgetTuple(set, owner, tuple); });
  }

  ~GroupAggregate() override {
    if (!accumulators_.owns_memory()) return;
    for (const uint32_t slot : groups_.LiveSlots()) accumulators_.Destroy(groups_.record(slot));
  }

  std::vector<StateTableSpec> state_tables() const override {
    std::string layout;
    for (const int key : options_.keys) layout += options_.input.fields[key].type.ToString() + ", ";
    layout += "-> " + accumulators_.Layout();
    const StatePart key = StatePart::Key(PickFields(options_.input, options_.keys));
    std::vector<StatePart> value = accumulators_.StateParts();
    value.insert(value.begin(), StatePart::Plain({{"rows", Type::Int64()}, {"touched", Type::Timestamp()}}));
    std::vector<StateTableSpec> tables{{"groups", 1, layout, {key}, std::move(value)}};
    for (size_t set = 0; set < plan_.sets().size(); ++set) {
      tables.push_back(DistinctTable(DistinctSets::TableName(set), layout, plan_.sets()[set], options_.input,
                                     options_.input_retracts, {}, {key}));
    }
    return tables;
  }

  void Open(const OperatorContext& context) override {
    Operator::Open(context);
    if (!has_ttl_) return;
    const int64_t now_us = context_.clock->now_us();
    next_sweep_us_ = now_us + SweepInterval();
    for (const uint32_t slot : groups_.LiveSlots()) {
      if (touched_us(slot) == 0) touched_us(slot) = now_us;  // restored from a run without TTL
    }
  }

  void OnBatch(int, Batch batch, Output&) override {
    const int64_t count = batch.num_rows;
    keys_.Assign(PickColumns(batch, options_.keys), count);
    slots_.resize(static_cast<size_t>(count));
    inserted_.clear();
    groups_.FindOrInsert(keys_, nullptr, count, slots_.data(), &inserted_);
    for (const uint32_t slot : inserted_) accumulators_.Init(groups_.record(slot));
    NotePending(count);
    records_.resize(static_cast<size_t>(count));
    uint8_t* const base = groups_.record(0);
    const int64_t stride = groups_.stride();
    for (int64_t i = 0; i < count; ++i) records_[i] = base + slots_[i] * stride;
    if (options_.input_retracts) CountRows(batch);
    accumulators_.Update(batch, nullptr, count, records_.data());
    if (!plan_.empty()) distinct_.Add(batch, nullptr, count, slots_.data(), records_.data(), &accumulators_);
  }

  void OnFlush(Output& out) override {
    Columns old_rows;  // of the pending groups that have output, in their order
    if (!old_parts_.empty()) {
      for (size_t c = 0; c < options_.calls.size(); ++c) {
        arrow::ArrayVector parts;
        for (const Columns& part : old_parts_) parts.push_back(part[c]);
        old_rows.push_back(parts.size() == 1 ? parts[0] : OrThrow(arrow::Concatenate(parts)));
      }
    }
    int64_t old_begin = 0;
    for (size_t begin = 0; begin < pending_.size(); begin += kFlushGroups) {
      const size_t end = std::min(pending_.size(), begin + kFlushGroups);
      FlushGroups(begin, end, old_rows, &old_begin, out);
    }
    pending_.clear();
    old_parts_.clear();
    for (const uint32_t slot : ended_) {
      groups_.Preserve(slot);
      accumulators_.Destroy(groups_.record(slot));
      groups_.Remove(slot);
    }
    ended_.clear();
    if (plan_.empty()) groups_.Compact();  // otherwise entries of DISTINCT sets hold slots
    context_.metrics->state_rows.Set(groups_.size() + distinct_.size());
  }

  std::optional<int64_t> next_timer_us() const override {
    return has_ttl_ ? std::optional<int64_t>(next_sweep_us_) : std::nullopt;
  }

  void OnTimer(int64_t now_us, Output&) override {
    if (!has_ttl_ || now_us < next_sweep_us_) return;
    next_sweep_us_ = now_us + SweepInterval();
    DropExpired(now_us);
  }

  void Snapshot(SnapshotWriter& writer) override {
    for (size_t set = 0; set < plan_.sets().size(); ++set)
      deleted_tuples_[set].Write(writer.Table(DistinctSets::TableName(set)));
    distinct_.Snapshot(writer, [this, key = std::string()](size_t, uint32_t owner, std::string_view tuple,
                                                           std::string_view value, StateWriter& out) mutable {
      out.Put(KeyGroupOf(groups_.hash(owner)), TupleKey(owner, tuple, &key), value);
    });
    groups_.Snapshot(writer, "groups", [this](uint32_t slot, std::string* out) {
      const uint8_t* record = groups_.record(slot);
      AppendPlain(row_count(slot), out);
      AppendPlain(has_ttl_ ? touched_us(slot) : int64_t{0},
                  out);  // always there, so that a TTL may be set later
      accumulators_.Serialize(record, out);
    });
  }

  void Restore(const SnapshotReader& reader) override {
    groups_.Restore(reader, "groups",
                    [this](uint32_t slot, const StateEntry& entry) { RestoreGroup(slot, entry.value); });
    for (size_t set = 0; set < plan_.sets().size(); ++set) {
      reader.ForEach(DistinctSets::TableName(set), [&](const StateEntry& entry) {
        std::string_view rest = entry.key;
        const auto length = TakePlain<uint32_t>(&rest);
        distinct_.Restore(set, groups_.Restore(rest.substr(0, length)), rest.substr(length), entry.value);
      });
    }
  }

  bool RestoresChanges() const override { return plan_.empty(); }
  void RestoreChanges(const SnapshotReader& changes) override {
    groups_.RestoreChanges(
        changes, "groups",
        [this](uint32_t slot, const StateEntry& entry) { RestoreGroup(slot, entry.value); },
        [this](uint32_t slot) { accumulators_.Destroy(groups_.record(slot)); });
  }

 private:
  void RestoreGroup(uint32_t slot, std::string_view value) {
    row_count(slot) = TakePlain<int64_t>(&value);
    const auto touched = TakePlain<int64_t>(&value);
    if (has_ttl_) touched_us(slot) = touched;
    accumulators_.Deserialize(value, groups_.record(slot));
    groups_.mark(slot) = Shows(slot, true) ? kHasOutput : 0;
  }

  int64_t SweepInterval() const { return std::max<int64_t>(options_.ttl_us / kSweepsPerTtl, 1000); }
  int64_t& row_count(uint32_t slot) { return *reinterpret_cast<int64_t*>(groups_.record(slot)); }
  int64_t& touched_us(uint32_t slot) {
    return *reinterpret_cast<int64_t*>(groups_.record(slot) + kTouchedOffset);
  }

  /// A DISTINCT entry's key in snapshots: uint32 length of the group key, group key, tuple.
  std::string_view TupleKey(uint32_t owner, std::string_view tuple, std::string* key) const {
    key->assign(sizeof(uint32_t), '\0');
    groups_.AppendKey(owner, key);
    const auto length = static_cast<uint32_t>(key->size() - sizeof(uint32_t));
    std::memcpy(key->data(), &length, sizeof length);
    key->append(tuple);
    return *key;
  }

  void ForgetTuple(size_t set, uint32_t owner, std::string_view tuple) {
    std::string key;
    deleted_tuples_[set].Add(KeyGroupOf(groups_.hash(owner)), TupleKey(owner, tuple, &key));
  }

  /// Lists the batch's groups that were not pending, and takes their rows as sent from the accumulators
  /// before these change.
  void NotePending(int64_t count) {
    with_output_.clear();
    const size_t first = pending_.size();
    for (int64_t i = 0; i < count; ++i) {
      const uint32_t slot = slots_[i];
      uint8_t& mark = groups_.mark(slot);
      if (mark & kPending) continue;
      if (mark & kHasOutput) with_output_.push_back(groups_.record(slot));
      mark |= kPending;
      pending_.push_back(slot);
    }
    if (pending_.size() == first) return;
    groups_.MarkDirty(pending_.data() + first, static_cast<int64_t>(pending_.size() - first));
    if (has_ttl_) {
      const int64_t now_us = context_.clock->now_us();
      for (size_t i = first; i < pending_.size(); ++i) touched_us(pending_[i]) = now_us;
    }
    if (with_output_.empty()) return;
    old_parts_.push_back(
        accumulators_.Finish(with_output_.data(), static_cast<int64_t>(with_output_.size())));
  }

  void CountRows(const Batch& batch) {
    const int32_t* weights = batch.weights ? batch.weights->raw_values() : nullptr;
    for (int64_t i = 0; i < batch.num_rows; ++i) {
      *reinterpret_cast<int64_t*>(records_[i]) += weights ? weights[i] : 1;
    }
  }

  /// Whether the group has a row to show now.
  bool Shows(uint32_t slot, bool had_output) {
    if (!options_.input_retracts || row_count(slot) > 0) return true;
    return options_.keys.empty() && had_output;  // the row of an empty input
  }

  /// Sends the changes of pending_[begin, end). `*old_begin`: their first row in `old_rows`.
  void FlushGroups(size_t begin, size_t end, const Columns& old_rows, int64_t* old_begin, Output& out) {
    const size_t count = end - begin;
    std::vector<int32_t> old_row(count, -1), new_row(count, -1);
    std::vector<uint8_t*> shown;
    int32_t old_count = 0;
    for (size_t i = 0; i < count; ++i) {
      if (i + kPrefetchAhead < count)
        __builtin_prefetch(groups_.record(pending_[begin + i + kPrefetchAhead]), 1);
      const uint32_t slot = pending_[begin + i];
      uint8_t& mark = groups_.mark(slot);
      const bool had_output = mark & kHasOutput;
      if (had_output) old_row[i] = old_count++;
      mark = 0;
      if (Shows(slot, had_output)) {
        new_row[i] = static_cast<int32_t>(shown.size());
        shown.push_back(groups_.record(slot));
        mark = kHasOutput;
      } else if (row_count(slot) == 0) {
        ended_.push_back(slot);
      }
    }
    const Columns new_rows = accumulators_.Finish(shown.data(), static_cast<int64_t>(shown.size()));
    const Columns keys = groups_.DecodeKeys(pending_.data() + begin, static_cast<int64_t>(count));
    if (old_count == 0 && shown.size() == count) {
      Batch batch{.num_rows = static_cast<int64_t>(count), .columns = keys, .weights = nullptr};
      batch.columns.insert(batch.columns.end(), new_rows.begin(), new_rows.end());
      out.Emit(std::move(batch));
      return;
    }
    Columns olds;
    for (const auto& column : old_rows) olds.push_back(column->Slice(*old_begin, old_count));
    *old_begin += old_count;
    EmitChanges(keys, olds, old_count, new_rows, old_row, new_row, out);
  }

  void EmitChanges(const Columns& keys, const Columns& olds, int32_t old_count, const Columns& news,
                   const std::vector<int32_t>& old_row, const std::vector<int32_t>& new_row, Output& out) {
    std::vector<int32_t> left, right;  // rows of groups that have both
    for (size_t i = 0; i < old_row.size(); ++i) {
      if (old_row[i] < 0 || new_row[i] < 0) continue;
      left.push_back(old_row[i]);
      right.push_back(new_row[i]);
    }
    const std::vector<bool> differ = RowsDiffer(olds, left, news, right);
    std::vector<int32_t> key_rows, value_rows, weights;  // of the output; values: olds, then news
    size_t both = 0;
    bool retracts = false;
    for (size_t i = 0; i < old_row.size(); ++i) {
      const bool has_both = old_row[i] >= 0 && new_row[i] >= 0;
      if (has_both && !differ[both++]) continue;
      const bool send_old = old_row[i] >= 0 && !(has_both && options_.output == GroupOutput::kUpsert);
      if (send_old) {
        key_rows.push_back(static_cast<int32_t>(i));
        value_rows.push_back(old_row[i]);
        weights.push_back(-1);
        retracts = true;
      }
      if (new_row[i] >= 0) {
        key_rows.push_back(static_cast<int32_t>(i));
        value_rows.push_back(old_count + new_row[i]);
        weights.push_back(1);
      }
    }
    if (key_rows.empty()) return;
    Batch values{.num_rows = 0, .columns = {}, .weights = nullptr};
    for (size_t c = 0; c < news.size(); ++c) {
      values.columns.push_back(olds.empty() ? news[c] : OrThrow(arrow::Concatenate({olds[c], news[c]})));
    }
    Batch batch =
        Take(Batch{.num_rows = static_cast<int64_t>(old_row.size()), .columns = keys, .weights = nullptr},
             key_rows);
    Batch results = Take(values, value_rows);
    for (auto& column : results.columns) batch.columns.push_back(std::move(column));
    if (retracts) batch.weights = MakeWeights(weights);
    out.Emit(std::move(batch));
  }

  void DropExpired(int64_t now_us) {
    std::vector<uint32_t> expired;
    for (uint32_t slot = 0; slot < groups_.slots_end(); ++slot) {
      groups_.ReadAheadInWalk(slot);
      if (!groups_.live(slot) || (groups_.mark(slot) & kPending)) continue;
      if (now_us - touched_us(slot) >= options_.ttl_us) expired.push_back(slot);
    }
    if (expired.empty()) return;
    if (!distinct_.empty()) {
      distinct_.RemoveOwners(
          [&](uint32_t owner) { return std::binary_search(expired.begin(), expired.end(), owner); },
          [this](size_t set, uint32_t owner, std::string_view tuple) { ForgetTuple(set, owner, tuple); });
    }
    for (const uint32_t slot : expired) {
      groups_.Preserve(slot);
      accumulators_.Destroy(groups_.record(slot));
      groups_.Remove(slot);
    }
    context_.metrics->expired_keys.Add(static_cast<int64_t>(expired.size()));
  }

  const GroupAggregateOptions options_;
  const bool has_ttl_;
  AccumulatorSet accumulators_;
  DistinctPlan plan_;
  KeyBatch keys_;
  KeyedMap groups_;
  DistinctSets distinct_;
  std::vector<DeletedKeys> deleted_tuples_;  // by set
  int64_t next_sweep_us_ = 0;

  std::vector<uint32_t> pending_;   // groups changed since the last flush, in the order of their first change
  std::vector<Columns> old_parts_;  // results as sent of those that have output, in that order
  std::vector<uint32_t> ended_;     // within a flush: groups without rows

  // Scratch of one batch.
  std::vector<uint32_t> slots_, inserted_;
  std::vector<uint8_t*> records_, with_output_;
};

}  // namespace

std::unique_ptr<Operator> MakeGroupAggregate(GroupAggregateOptions options) {
  return std::make_unique<GroupAggregate>(std::move(options));
}

}  // namespace laminar
