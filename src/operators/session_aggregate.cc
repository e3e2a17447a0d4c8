#include "operators/session_aggregate.h"

#include <arrow/array.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "operators/distinct_sets.h"
#include "operators/window_times.h"
#include "state/keyed_map.h"
#include "state/record_pool.h"
#include "state/row_bytes.h"

namespace laminar {

namespace {

constexpr size_t kOutputRows = 8192;
constexpr int64_t kBucketsPerGap =
    64;  // of the queue of ends: a session is looked at again at most a 64th of a gap late

constexpr size_t kPrefetchAhead = 16;

/// One session of a key: rows from `first_us` to `last_us`, window [first, last + gap). Accumulators follow.
struct Session {
  int64_t first_us;
  int64_t last_us;
  int64_t id;            // unique among the key's sessions; part of its key in snapshots
  uint32_t group;        // slot of the key
  uint32_t next;         // the key's next session; kNoSlot: last
  uint32_t merged_into;  // kNoSlot unless another session has taken it over in this batch
  uint32_t unused;
};

class SessionAggregate final : public Operator {
 public:
  explicit SessionAggregate(WindowAggregateOptions options)
      : options_(std::move(options)),
        gap_us_(options_.window.size_us),
        accumulators_(options_.calls, sizeof(Session)),
        plan_(options_.calls, options_.input),
        keys_(PickTypes(options_.input, options_.keys)),
        groups_(PickTypes(options_.input, options_.keys), sizeof(uint64_t)),
        sessions_(accumulators_.record_bytes()),
        distinct_(plan_, DistinctSets::Mode::kLaterByOwner),
        deleted_tuples_(plan_.sets().size()) {
    LAMINAR_CHECK(gap_us_ > 0, "a session window without gap");
  }

  ~SessionAggregate() override {
    if (!accumulators_.owns_memory()) return;
    for (uint32_t slot = 0; slot < sessions_.slots_end(); ++slot) {
      if (sessions_.live(slot)) accumulators_.Destroy(sessions_.record(slot));
    }
  }

  std::vector<StateTableSpec> state_tables() const override {
    std::string layout;
    for (const int key : options_.keys) layout += options_.input.fields[key].type.ToString() + ", ";
    layout += "session -> " + accumulators_.Layout();
    const std::vector<StatePart> key{StatePart::Key(PickFields(options_.input, options_.keys)),
                                     StatePart::Sequence({{"session", Type::Int64()}})};
    std::vector<StatePart> value = accumulators_.StateParts();
    value.insert(value.begin(),
                 StatePart::Plain({{"first_row", Type::Timestamp()}, {"last_row", Type::Timestamp()}}));
    std::vector<StateTableSpec> tables{{"sessions", 1, layout, key, std::move(value)},
                                       ProgressTable("watermark")};
    for (size_t set = 0; set < plan_.sets().size(); ++set) {
      tables.push_back(DistinctTable(DistinctSets::TableName(set), layout, plan_.sets()[set], options_.input,
                                     /*counts=*/false, {}, key));
    }
    return tables;
  }

  void OnBatch(int, Batch batch, Output&) override {
    const int64_t count = batch.num_rows;
    bool has_nulls = false;
    if (options_.window.processing_time) {
      times_.assign(static_cast<size_t>(count), std::max(context_.clock->now_us(), closed_us_));
    } else {
      ReadTimes(*batch.columns[options_.time_column], &times_, &timed_rows_, &has_nulls);
      if (has_nulls) context_.metrics->bad_records.Add(count - static_cast<int64_t>(timed_rows_.size()));
    }
    const int32_t* rows = has_nulls ? timed_rows_.data() : nullptr;
    const int64_t timed = has_nulls ? static_cast<int64_t>(timed_rows_.size()) : count;
    keys_.Assign(PickColumns(batch, options_.keys), count);
    group_slots_.resize(static_cast<size_t>(timed));
    inserted_.clear();
    groups_.FindOrInsert(keys_, rows, timed, group_slots_.data(), &inserted_);
    for (const uint32_t group : inserted_) head(group) = kNoSlot;
    AssignRows(rows, timed);
    MergeSessions();
    for (const uint32_t group : inserted_) {
      if (head(group) == kNoSlot) groups_.RemoveQuietly(group);  // all its rows were late
    }
    if (rows_.empty()) return;
    for (size_t i = 0; i < rows_.size(); ++i) {
      row_sessions_[i] = Root(row_sessions_[i]);
      records_[i] = sessions_.record(row_sessions_[i]);
    }
    const int64_t kept = static_cast<int64_t>(rows_.size());
    const int32_t* kept_rows = kept == count ? nullptr : rows_.data();
    accumulators_.Update(batch, kept_rows, kept, records_.data());
    if (!plan_.empty())
      distinct_.Add(batch, kept_rows, kept, row_sessions_.data(), records_.data(), &accumulators_);
    RemoveMerged();
  }

  void OnWatermark(int64_t watermark_us, Output& out) override {
    if (watermark_us < watermark_us_) return;  // an equal one is announced again after a restore
    watermark_us_ = watermark_us;
    if (options_.window.processing_time && watermark_us != kMaxWatermark) return;
    Close(watermark_us, out);
    out.EmitWatermark(watermark_us);
  }

  std::optional<int64_t> next_timer_us() const override {
    if (!options_.window.processing_time || ends_.empty()) return std::nullopt;
    return (ends_.begin()->first + 1) * BucketUs();  // all that is due in the bucket at once
  }

  void OnTimer(int64_t now_us, Output& out) override {
    if (!options_.window.processing_time || now_us <= closed_us_) return;
    Close(now_us, out);
    out.EmitWatermark(now_us);
  }

  void OnFlush(Output&) override { context_.metrics->state_rows.Set(sessions_.size() + distinct_.size()); }

  void Snapshot(SnapshotWriter& writer) override {
    deleted_sessions_.Write(writer.Table("sessions"));
    for (size_t set = 0; set < plan_.sets().size(); ++set)
      deleted_tuples_[set].Write(writer.Table(DistinctSets::TableName(set)));
    sessions_.Snapshot(
        writer, "sessions",
        [this, key = std::string(), value = std::string()](uint32_t slot, StateWriter& out) mutable {
          const Session& session = *at(slot);
          value.clear();
          AppendPlain(session.first_us, &value);
          AppendPlain(session.last_us, &value);
          accumulators_.Serialize(sessions_.record(slot), &value);
          out.Put(KeyGroupOf(groups_.hash(session.group)), SessionKey(slot, &key), value);
          return static_cast<int64_t>(key.size() + value.size());
        });
    distinct_.Snapshot(writer, [this, key = std::string()](size_t, uint32_t owner, std::string_view tuple,
                                                           std::string_view bits, StateWriter& out) mutable {
      out.Put(KeyGroupOf(groups_.hash(at(owner)->group)), TupleKey(owner, tuple, &key), bits);
    });
    SnapshotProgress(writer, closed_us_);
  }

  void Restore(const SnapshotReader& reader) override {
    closed_us_ = RestoreProgress(reader);
    if (!options_.window.processing_time) watermark_us_ = closed_us_;
    std::map<std::pair<uint32_t, int64_t>, uint32_t> by_id;
    reader.ForEach("sessions", [&](const StateEntry& entry) {
      std::string_view key = entry.key, value = entry.value;
      const int64_t id = TakeSequence(&key);
      const uint32_t group = GroupOf(key);
      const auto first_us = TakePlain<int64_t>(&value);
      const auto last_us = TakePlain<int64_t>(&value);
      const uint32_t slot = NewSession(group, first_us, id);
      at(slot)->last_us = last_us;
      accumulators_.Deserialize(value, sessions_.record(slot));
      sessions_.SetPersisted(slot);
      Enqueue(slot);
      by_id[{group, id}] = slot;
      next_id_ = std::max(next_id_, id + 1);
    });
    for (size_t set = 0; set < plan_.sets().size(); ++set) {
      reader.ForEach(DistinctSets::TableName(set), [&](const StateEntry& entry) {
        std::string_view key = entry.key;
        const auto length = TakePlain<uint32_t>(&key);
        std::string_view session_key = key.substr(0, length);
        const int64_t id = TakeSequence(&session_key);
        distinct_.Restore(set, by_id.at({GroupOf(session_key), id}), key.substr(length), entry.value);
      });
    }
  }

 private:
  Session* at(uint32_t slot) { return reinterpret_cast<Session*>(sessions_.record(slot)); }
  const Session* at(uint32_t slot) const { return reinterpret_cast<const Session*>(sessions_.record(slot)); }
  uint32_t& head(uint32_t group) { return *reinterpret_cast<uint32_t*>(groups_.record(group)); }
  int64_t EndOf(const Session& session) const { return session.last_us + gap_us_; }

  uint32_t GroupOf(std::string_view key) {
    const int64_t before = groups_.size();
    const uint32_t group = groups_.Restore(key, false);
    if (groups_.size() > before) head(group) = kNoSlot;
    return group;
  }

  // Keys in snapshots: group key, session id (8 bytes). DISTINCT: uint32 length of that, that, tuple.

  std::string_view SessionKey(uint32_t slot, std::string* key) const {
    key->clear();
    groups_.AppendKey(at(slot)->group, key);
    AppendSequence(at(slot)->id, key);
    return *key;
  }
  std::string_view TupleKey(uint32_t slot, std::string_view tuple, std::string* key) const {
    std::string session;
    SessionKey(slot, &session);
    key->clear();
    AppendPlain(static_cast<uint32_t>(session.size()), key);
    key->append(session).append(tuple);
    return *key;
  }

  // Rows in

  uint32_t NewSession(uint32_t group, int64_t time_us, int64_t id) {
    const uint32_t slot = sessions_.Add();
    *at(slot) = {time_us, time_us, id, group, head(group), kNoSlot, 0};
    head(group) = slot;
    return slot;
  }

  /// Fills rows_ and row_sessions_: the rows that are not late, and their sessions, which may have been
  /// merged since.
  void AssignRows(const int32_t* rows, int64_t count) {
    rows_.clear();
    row_sessions_.clear();
    int64_t late = 0;
    for (int64_t i = 0; i < count; ++i) {
      if (i + static_cast<int64_t>(kPrefetchAhead) < count) {
        const uint32_t ahead = head(group_slots_[i + static_cast<int64_t>(kPrefetchAhead)]);
        if (ahead != kNoSlot) __builtin_prefetch(sessions_.record(ahead), 1);
      }
      const int32_t row = rows ? rows[i] : static_cast<int32_t>(i);
      const uint32_t slot = SessionFor(group_slots_[i], times_[row]);
      if (slot == kNoSlot) {
        ++late;
        continue;
      }
      rows_.push_back(row);
      row_sessions_.push_back(slot);
    }
    records_.resize(rows_.size());
    if (late > 0) context_.metrics->late_rows.Add(late);
  }

  /// The session that a row extends, merging those that it joins; a new one if there is none; kNoSlot for a
  /// late row.
  uint32_t SessionFor(uint32_t group, int64_t time_us) {
    uint32_t found = kNoSlot;
    for (uint32_t slot = head(group), previous = kNoSlot; slot != kNoSlot;) {
      Session& session = *at(slot);
      const uint32_t next = session.next;
      if (time_us >= EndOf(session) || session.first_us >= time_us + gap_us_) {
        previous = slot;
      } else if (found == kNoSlot) {
        found = slot;
        previous = slot;
        sessions_.MarkDirty(slot);
        session.first_us = std::min(session.first_us, time_us);
        session.last_us = std::max(session.last_us, time_us);
      } else {
        Session& into = *at(found);
        sessions_.Preserve(slot);
        into.first_us = std::min(into.first_us, session.first_us);
        into.last_us = std::max(into.last_us, session.last_us);
        session.merged_into = found;
        (previous == kNoSlot ? head(group) : at(previous)->next) = next;
        merged_.push_back(slot);
      }
      slot = next;
    }
    if (found != kNoSlot) return found;
    if (time_us + gap_us_ <= closed_us_) return kNoSlot;
    const uint32_t slot = NewSession(group, time_us, next_id_++);
    accumulators_.Init(sessions_.record(slot));
    sessions_.MarkDirty(slot);
    Enqueue(slot);
    return slot;
  }

  uint32_t Root(uint32_t slot) const {
    while (at(slot)->merged_into != kNoSlot) slot = at(slot)->merged_into;
    return slot;
  }

  /// Adds the accumulators of merged sessions to those that took them over, one step after the other: a
  /// session's own are merged before it is. The values of the older session come first.
  void MergeSessions() {
    if (merged_.empty()) return;
    for (const uint32_t slot : merged_) {
      const uint32_t taker = at(slot)->merged_into;
      const bool began_first = at(slot)->id < at(taker)->id;
      uint8_t* into = sessions_.record(began_first ? slot : taker);
      const uint8_t* from = sessions_.record(began_first ? taker : slot);
      accumulators_.Merge(&into, &from, 1);
      if (!began_first) continue;
      std::swap_ranges(sessions_.record(slot) + sizeof(Session),
                       sessions_.record(slot) + accumulators_.record_bytes(),
                       sessions_.record(taker) + sizeof(Session));
    }
    if (distinct_.empty()) return;
    for (const uint32_t slot : merged_) MoveTuples(slot, Root(slot));
  }

  /// kNoSlot drops them.
  void MoveTuples(uint32_t from, uint32_t to) {
    std::string key;
    distinct_.MoveOwner(from, to, [&](size_t set, uint32_t owner, std::string_view tuple) {
      deleted_tuples_[set].Add(KeyGroupOf(groups_.hash(at(owner)->group)), TupleKey(owner, tuple, &key));
    });
  }

  void RemoveMerged() {
    for (const uint32_t slot : merged_) RemoveSession(slot);
    merged_.clear();
  }

  void RemoveSession(uint32_t slot) {
    sessions_.Preserve(slot);
    if (sessions_.persisted(slot)) {
      std::string key;
      deleted_sessions_.Add(KeyGroupOf(groups_.hash(at(slot)->group)), SessionKey(slot, &key));
    }
    accumulators_.Destroy(sessions_.record(slot));
    at(slot)->id = -1;  // entries of ends_ that still name it are stale
    sessions_.Remove(slot);
  }

  // Ends. Each session stands in one bucket, that of its end when it was put there; rows that came since
  // moved it on.

  int64_t BucketUs() const { return std::max<int64_t>(gap_us_ / kBucketsPerGap, 1); }
  void Enqueue(uint32_t slot) {
    const int64_t end = EndOf(*at(slot));
    ends_[end / BucketUs() - (end % BucketUs() < 0 ? 1 : 0)].push_back({slot, at(slot)->id});
  }

  /// Sends all sessions with end ≤ `time_us` in the order of their ends.
  void Close(int64_t time_us, Output& out) {
    std::vector<uint32_t> due, open;
    while (!ends_.empty() &&
           ends_.begin()->first <= time_us / BucketUs() - (time_us % BucketUs() < 0 ? 1 : 0)) {
      const std::vector<QueuedSession>& bucket = ends_.begin()->second;
      for (size_t i = 0; i < bucket.size(); ++i) {
        if (i + kPrefetchAhead < bucket.size())
          __builtin_prefetch(sessions_.record(bucket[i + kPrefetchAhead].slot));
        const QueuedSession& queued = bucket[i];
        if (!sessions_.live(queued.slot) || at(queued.slot)->id != queued.id) continue;
        (EndOf(*at(queued.slot)) <= time_us ? due : open).push_back(queued.slot);
      }
      ends_.erase(ends_.begin());
    }
    for (const uint32_t slot : open) Enqueue(slot);
    closed_us_ = std::max(closed_us_, time_us);
    if (due.empty()) return;
    std::sort(due.begin(), due.end(), [this](uint32_t a, uint32_t b) {
      const Session &x = *at(a), &y = *at(b);
      return x.last_us != y.last_us ? x.last_us < y.last_us : x.id < y.id;
    });
    if (!distinct_.empty()) {
      for (const uint32_t slot : due) sessions_.Preserve(slot);  // the functions change them
      distinct_.UpdateFromOwners(
          due, [this](uint32_t owner) { return sessions_.record(owner); }, &accumulators_);
      for (const uint32_t slot : due) MoveTuples(slot, kNoSlot);
    }
    for (size_t begin = 0; begin < due.size(); begin += kOutputRows) {
      SendSessions(due.data() + begin, std::min(kOutputRows, due.size() - begin), out);
    }
    for (size_t i = 0; i < due.size(); ++i) {
      if (i + kPrefetchAhead < due.size()) groups_.PrefetchRemove(at(due[i + kPrefetchAhead])->group);
      UnlinkSession(due[i]);
    }
    if (sessions_.size() == 0) {
      sessions_.Trim();
      distinct_.Clear();
      ends_.clear();
      groups_.Clear();
    }
  }

  void SendSessions(const uint32_t* slots, size_t count, Output& out) {
    std::vector<uint32_t> groups(count);
    std::vector<int64_t> starts(count), window_ends(count);
    records_.resize(count);
    for (size_t i = 0; i < count; ++i) {
      const Session& session = *at(slots[i]);
      groups[i] = session.group;
      starts[i] = session.first_us;
      window_ends[i] = EndOf(session);
      records_[i] = sessions_.record(slots[i]);
    }
    const auto rows = static_cast<int64_t>(count);
    Batch batch{.num_rows = rows, .columns = groups_.DecodeKeys(groups.data(), rows), .weights = nullptr};
    for (auto& column : accumulators_.Finish(records_.data(), rows))
      batch.columns.push_back(std::move(column));
    batch.columns.push_back(TimestampColumn(starts));
    batch.columns.push_back(TimestampColumn(window_ends));
    out.Emit(std::move(batch));
  }

  void UnlinkSession(uint32_t slot) {
    const uint32_t group = at(slot)->group, next = at(slot)->next;
    if (head(group) == slot) {
      head(group) = next;
    } else {
      uint32_t before = head(group);
      while (at(before)->next != slot) before = at(before)->next;
      at(before)->next = next;
    }
    RemoveSession(slot);
    if (head(group) == kNoSlot) groups_.RemoveQuietly(group);
  }

  struct QueuedSession {
    uint32_t slot;
    int64_t id;
  };

  const WindowAggregateOptions options_;
  const int64_t gap_us_;
  AccumulatorSet accumulators_;
  DistinctPlan plan_;
  KeyBatch keys_;
  KeyedMap groups_;  // key → slot of its first session
  RecordPool sessions_;
  DistinctSets distinct_;                               // owner: slot of the session
  std::map<int64_t, std::vector<QueuedSession>> ends_;  // by end / BucketUs()
  int64_t next_id_ = 0;
  int64_t watermark_us_ = kMinWatermark;  // of the input
  int64_t closed_us_ = kMinWatermark;     // sessions that end by then have been sent
  DeletedKeys deleted_sessions_;
  std::vector<DeletedKeys> deleted_tuples_;  // by set
  std::vector<uint32_t> merged_;             // in this batch: sessions that others took over

  // Scratch of one batch.
  std::vector<int64_t> times_;
  std::vector<int32_t> timed_rows_, rows_;
  std::vector<uint32_t> group_slots_, inserted_, row_sessions_;
  std::vector<uint8_t*> records_;
};

}  // namespace

std::unique_ptr<Operator> MakeSessionAggregate(WindowAggregateOptions options) {
  return std::make_unique<SessionAggregate>(std::move(options));
}

}  // namespace laminar
