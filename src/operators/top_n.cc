#include "operators/top_n.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>

#include "base/arrow_result.h"
#include "operators/accumulator_set.h"
#include "operators/row_times.h"
#include "operators/window_times.h"
#include "state/keyed_map.h"
#include "state/ordered_rows.h"
#include "state/row_bytes.h"

namespace laminar {
namespace {

constexpr int64_t kEmitRows = 8192;
constexpr int64_t kSweepsPerTtl = 8;
constexpr size_t kPrefetchAhead = 8;
constexpr size_t kFewPairs = 64;  // so many comparisons are cheaper than a hash table

std::shared_ptr<arrow::Array> Int64Column(const std::vector<int64_t>& values) {
  arrow::Int64Builder builder;
  OrThrow(builder.AppendValues(values));
  return OrThrow(builder.Finish());
}

/// Key groups follow the partitioning of the input: a window without keys is spread by its start.
std::vector<int> StateKeys(const TopNOptions& options) {
  if (options.per_window && options.keys.empty()) return {options.window_start};
  return options.keys;
}

std::string RowsLayout(const TopNOptions& options) {
  std::string layout;
  for (const int key : StateKeys(options)) layout += options.input.fields[key].type.ToString() + ", ";
  layout += "-> " + options.input.ToString() + " by";
  for (size_t i = 0; i < options.order_columns.size(); ++i) {
    layout += " " + std::to_string(options.order_columns[i]) +
              (options.order[i].descending ? " desc" : " asc") +
              (options.order[i].nulls_first ? " nulls first" : "");
  }
  return layout;
}

/// Ranks of a run of rows of one key.
class Ranking {
 public:
  Ranking(const OrderedRows& rows, RankFunction function, int64_t to)
      : rows_(rows), function_(function), to_(to) {}

  /// The position behind the last of rows [begin, end) whose rank is at most `to`.
  int64_t End(uint32_t slot, int64_t begin, int64_t end) const {
    if (to_ <= 0) return begin;
    if (end - begin <= to_) return end;
    if (function_ == RankFunction::kRowNumber) return begin + to_;
    if (function_ == RankFunction::kDenseRank) {
      int64_t position = begin;
      for (int64_t i = 0; i < to_ && position < end; ++i) position = PeersEnd(slot, position);
      return position;
    }
    // The row of rank to + 1, unless it has a peer of a smaller rank.
    const int64_t first_peer = rows_.LowerBound(slot, rows_.at(slot, begin + to_)->sort_bytes());
    return first_peer >= begin + to_ ? begin + to_ : PeersEnd(slot, begin + to_);
  }

  /// Whether a row cannot get a rank up to `to` among rows [begin, end), which all have one.
  bool Rejects(uint32_t slot, int64_t begin, int64_t end, std::string_view sort_bytes) const {
    if (to_ <= 0) return true;
    if (end - begin < to_) return false;
    const int order = sort_bytes.compare(rows_.at(slot, end - 1)->sort_bytes());
    if (function_ == RankFunction::kRowNumber) return order >= 0;
    if (order <= 0) return false;
    return function_ == RankFunction::kRank || GroupCount(slot, begin, end) >= to_;
  }

  /// Calls visit(row, rank) for rows in order, of which the first has rank 1.
  template <typename Visit>
  void ForEach(const std::vector<OrderedRow*>& rows, const Visit& visit) const {
    int64_t rank = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (i + kPrefetchAhead < rows.size()) __builtin_prefetch(rows[i + kPrefetchAhead]);
      const bool peer = function_ != RankFunction::kRowNumber && i > 0 &&
                        rows[i]->sort_bytes() == rows[i - 1]->sort_bytes();
      if (!peer) rank = function_ == RankFunction::kDenseRank ? rank + 1 : static_cast<int64_t>(i) + 1;
      visit(rows[i], rank);
    }
  }

 private:
  int64_t PeersEnd(uint32_t slot, int64_t position) const {
    return rows_.LowerBound(slot, rows_.at(slot, position)->sort_bytes(), true);
  }
  int64_t GroupCount(uint32_t slot, int64_t begin, int64_t end) const {
    int64_t count = 0;
    for (int64_t position = begin; position < end && count < to_; ++count)
      position = PeersEnd(slot, position);
    return count;
  }

  const OrderedRows& rows_;
  const RankFunction function_;
  const int64_t to_;
};

/// A row with the rank that it was or will be sent with (0 throughout when ranks are not part of the output).
struct RankedBytes {
  std::string_view bytes;
  int64_t rank;
  friend bool operator==(const RankedBytes&, const RankedBytes&) = default;
};

struct RankedBytesHash {
  size_t operator()(const RankedBytes& row) const {
    return std::hash<std::string_view>()(row.bytes) * 31 + static_cast<size_t>(row.rank);
  }
};

/// Takes pairs of equal rows out of both lists.
void CancelEquals(std::vector<RankedBytes>* olds, std::vector<RankedBytes>* news) {
  if (olds->empty() || news->empty()) return;
  if (olds->size() * news->size() <= kFewPairs) {
    std::erase_if(*olds, [news](const RankedBytes& old) {
      const auto equal = std::find(news->begin(), news->end(), old);
      if (equal == news->end()) return false;
      news->erase(equal);
      return true;
    });
    return;
  }
  std::unordered_map<RankedBytes, int64_t, RankedBytesHash> counts;
  for (const RankedBytes& row : *news) ++counts[row];
  std::unordered_map<RankedBytes, int64_t, RankedBytesHash> cancelled;
  std::erase_if(*olds, [&](const RankedBytes& old) {
    const auto found = counts.find(old);
    if (found == counts.end() || found->second == 0) return false;
    --found->second;
    ++cancelled[old];
    return true;
  });
  if (cancelled.empty()) return;
  std::erase_if(*news, [&](const RankedBytes& row) {
    const auto found = cancelled.find(row);
    return found != cancelled.end() && found->second-- > 0;
  });
}

/// Rows on their way out.
class RankedOutput {
 public:
  RankedOutput(const RowCodec& codec, bool emit_rank) : codec_(codec), emit_rank_(emit_rank) {}

  void Add(std::string_view bytes, int64_t rank, int32_t weight) {
    rows_.push_back(bytes);
    ranks_.push_back(rank);
    weights_.push_back(weight);
    retracts_ = retracts_ || weight < 0;
  }
  int64_t size() const { return static_cast<int64_t>(rows_.size()); }
  void Send(Output& out) {
    if (rows_.empty()) return;
    Batch batch;
    batch.num_rows = size();
    batch.columns = codec_.Decode(rows_);
    if (emit_rank_) batch.columns.push_back(Int64Column(ranks_));
    if (retracts_) batch.weights = MakeWeights(weights_);
    rows_.clear();
    ranks_.clear();
    weights_.clear();
    retracts_ = false;
    out.Emit(std::move(batch));
  }

 private:
  const RowCodec& codec_;
  const bool emit_rank_;
  std::vector<std::string_view> rows_;
  std::vector<int64_t> ranks_;
  std::vector<int32_t> weights_;
  bool retracts_ = false;
};

/// A row's tag is the rank that it was last sent with (1 when ranks are not sent), 0 when it was not sent or
/// was taken back. Rows ranked beyond `to` always have tag 0: what leaves the top moves its last sent form to
/// removed_.
class UpdatingTopN final : public Operator {
 public:
  explicit UpdatingTopN(TopNOptions options)
      : options_(std::move(options)),
        keys_(PickTypes(options_.input, options_.keys)),
        rows_(PickTypes(options_.input, options_.keys)),
        touched_(PickTypes(options_.input, options_.keys), sizeof(int64_t)),
        codec_(AllTypes(options_.input)),
        ranking_(rows_, options_.rank, options_.to),
        output_(codec_, options_.emit_rank) {}

  std::vector<StateTableSpec> state_tables() const override {
    const std::vector<Field> keys = PickFields(options_.input, StateKeys(options_));
    std::vector<StateTableSpec> tables{
        OrderedTable("rows", RowsLayout(options_), keys, options_.input.fields, "tag")};
    if (has_ttl()) {
      tables.push_back({"touched",
                        1,
                        "-> TIMESTAMP",
                        {StatePart::Key(keys)},
                        {StatePart::Plain({{"touched", Type::Timestamp()}})}});
    }
    return tables;
  }

  void Open(const OperatorContext& context) override {
    Operator::Open(context);
    if (has_ttl()) next_sweep_us_ = context_.clock->now_us() + SweepInterval();
  }

  void OnBatch(int, Batch batch, Output&) override {
    const int64_t count = batch.num_rows;
    keys_.Assign(PickColumns(batch, options_.keys), count);
    if (has_ttl()) Touch(count);
    slots_.resize(static_cast<size_t>(count));
    rows_.FindOrInsertKeys(keys_, nullptr, count, slots_.data());
    if (rows_.keys().slots_end() > pending_of_.size())
      pending_of_.resize(rows_.keys().slots_end() * size_t{2});
    sort_.Clear();
    EncodeSortKeys(PickColumns(batch, options_.order_columns), options_.order, count, &sort_);
    if (options_.input_changelog) {
      Change(batch);
    } else {
      Add(batch);
    }
  }

  void OnFlush(Output& out) override {
    Flush(out);
    rows_.Maintain();
    context_.metrics->state_rows.Set(rows_.size());
  }

  std::optional<int64_t> next_timer_us() const override {
    return has_ttl() ? std::optional<int64_t>(next_sweep_us_) : std::nullopt;
  }
  void OnTimer(int64_t now_us, Output& out) override {
    next_sweep_us_ = now_us + SweepInterval();
    Flush(out);
    DropExpired(now_us);
  }

  void Snapshot(SnapshotWriter& writer) override {
    rows_.Snapshot(writer, "rows");
    if (!has_ttl()) return;
    touched_.Snapshot(writer, "touched",
                      [this](uint32_t slot, std::string* out) { AppendPlain(touched_us(slot), out); });
  }
  void Restore(const SnapshotReader& reader) override {
    rows_.Restore(reader, "rows");
    if (!has_ttl()) return;
    touched_.Restore(reader, "touched", [this](uint32_t slot, const StateEntry& entry) {
      std::string_view value = entry.value;
      touched_us(slot) = TakePlain<int64_t>(&value);
    });
  }

 private:
  // pending_of_: 0 not pending, kPending, or kFirstRemoved + the index of the last entry in removed_.
  static constexpr uint32_t kPending = 1, kFirstRemoved = 2;
  struct Removed {
    int64_t rank;
    uint32_t next;  // as in pending_of_
  };
  using OldRows = std::vector<std::pair<std::string, int64_t>>;

  bool has_ttl() const { return options_.ttl_us > 0; }
  int64_t SweepInterval() const { return std::max<int64_t>(options_.ttl_us / kSweepsPerTtl, 1000); }
  int64_t& touched_us(uint32_t slot) { return *reinterpret_cast<int64_t*>(touched_.record(slot)); }

  void Touch(int64_t count) {
    const int64_t now_us = context_.clock->now_us();
    slots_.resize(static_cast<size_t>(count));
    std::vector<uint32_t> inserted;
    touched_.FindOrInsert(keys_, nullptr, count, slots_.data(), &inserted);
    for (const uint32_t slot : inserted) {
      touched_.MarkDirty(slot);
      touched_us(slot) = now_us;
    }
    for (const uint32_t slot : slots_) {
      // Coarsely, so that a busy key is not written at every barrier.
      if (now_us - touched_us(slot) < options_.ttl_us / kSweepsPerTtl) continue;
      touched_.MarkDirty(slot);
      touched_us(slot) = now_us;
    }
  }

  void MarkPending(uint32_t slot) {
    if (pending_of_[slot] != 0) return;
    pending_of_[slot] = kPending;
    pending_.push_back(slot);
  }

  /// Remembers what was sent of a row that leaves the top.
  void TakeBack(uint32_t slot, const OrderedRow& row) {
    if (row.tag == 0) return;
    MarkPending(slot);
    removed_.push_back({row.tag, pending_of_[slot]});
    removed_bytes_.Append(row.bytes());
    pending_of_[slot] = kFirstRemoved + static_cast<uint32_t>(removed_.size() - 1);
  }

  void Drop(uint32_t slot, int64_t begin, int64_t count) {
    for (int64_t i = begin; i < begin + count; ++i) TakeBack(slot, *rows_.at(slot, i));
    rows_.Remove(slot, begin, count);
  }

  bool Rejects(int32_t row) const {
    const uint32_t slot = slots_[static_cast<size_t>(row)];
    return ranking_.Rejects(slot, 0, rows_.row_count(slot), sort_[row]);
  }

  /// Append-only input: only rows within the top are kept, and only those that may enter it become bytes.
  void Add(const Batch& batch) {
    candidates_.clear();
    const auto count = static_cast<int32_t>(batch.num_rows);
    for (int32_t row = 0; row < count; ++row) {
      const size_t ahead = static_cast<size_t>(row) + kPrefetchAhead;
      if (ahead < slots_.size() && rows_.row_count(slots_[ahead]) == 1)
        __builtin_prefetch(rows_.at(slots_[ahead], 0));
      if (!Rejects(row)) candidates_.push_back(row);
    }
    if (candidates_.empty()) return;
    encoded_.Clear();
    codec_.Encode(batch.columns, candidates_.data(), static_cast<int64_t>(candidates_.size()), &encoded_);
    for (size_t i = 0; i < candidates_.size(); ++i) {
      const int32_t row = candidates_[i];
      for (int32_t copies = batch.weight(row); copies > 0 && !Rejects(row); --copies) {
        AddRow(slots_[static_cast<size_t>(row)], sort_[row], encoded_[static_cast<int64_t>(i)]);
      }
    }
  }

  void AddRow(uint32_t slot, std::string_view sort_bytes, std::string_view bytes) {
    MarkPending(slot);
    const bool evicts = options_.rank == RankFunction::kRowNumber && rows_.row_count(slot) >= options_.to;
    if (evicts) Drop(slot, options_.to - 1, rows_.row_count(slot) - options_.to + 1);
    rows_.Insert(slot, sort_bytes, bytes);
    if (options_.rank == RankFunction::kRowNumber) return;
    const int64_t rows = rows_.row_count(slot), end = ranking_.End(slot, 0, rows);
    if (end < rows) Drop(slot, end, rows - end);
  }

  /// Input that retracts: all rows are kept, since any may move up.
  void Change(const Batch& batch) {
    encoded_.Clear();
    codec_.Encode(batch.columns, nullptr, batch.num_rows, &encoded_);
    emptied_.clear();
    for (int64_t row = 0; row < batch.num_rows; ++row) {
      const uint32_t slot = slots_[static_cast<size_t>(row)];
      int32_t weight = batch.weight(row);
      for (; weight > 0; --weight) InsertRow(slot, sort_[row], encoded_[row]);
      for (; weight < 0; ++weight) {
        if (!RemoveRow(slot, sort_[row], encoded_[row])) break;
      }
      if (rows_.row_count(slot) == 0) emptied_.push_back(slot);
    }
    for (const uint32_t slot : emptied_) {
      if (rows_.row_count(slot) == 0) Orphan(slot);
    }
  }

  void InsertRow(uint32_t slot, std::string_view sort_bytes, std::string_view bytes) {
    int64_t position = 0;
    rows_.Insert(slot, sort_bytes, bytes, 0, &position);
    const int64_t rows = rows_.row_count(slot), end = ranking_.End(slot, 0, rows);
    if (position >= end) return;
    MarkPending(slot);
    // One row, or one group of peers, has moved out of the top.
    for (int64_t i = end; i < rows; ++i) {
      OrderedRow* row = rows_.at(slot, i);
      if (i > end && (options_.rank == RankFunction::kRowNumber ||
                      row->sort_bytes() != rows_.at(slot, end)->sort_bytes()))
        break;
      TakeBack(slot, *row);
      rows_.SetTag(row, 0);
    }
  }

  bool RemoveRow(uint32_t slot, std::string_view sort_bytes, std::string_view bytes) {
    const int64_t position = rows_.Find(slot, sort_bytes, bytes);
    if (position < 0) return false;
    if (position < ranking_.End(slot, 0, rows_.row_count(slot))) MarkPending(slot);
    Drop(slot, position, 1);
    return true;
  }

  /// A key without rows loses its slot: what was sent of it is kept by key until the flush.
  void Orphan(uint32_t slot) {
    if (pending_of_[slot] == 0) return;
    std::string key;
    rows_.keys().AppendKey(slot, &key);
    OldRows rows;
    for (uint32_t entry = pending_of_[slot]; entry >= kFirstRemoved;
         entry = removed_[entry - kFirstRemoved].next) {
      rows.emplace_back(removed_bytes_[entry - kFirstRemoved], removed_[entry - kFirstRemoved].rank);
    }
    pending_of_[slot] = 0;
    if (rows.empty()) return;
    OldRows& all = orphans_[key];
    all.insert(all.end(), std::make_move_iterator(rows.begin()), std::make_move_iterator(rows.end()));
  }

  void Flush(Output& out) {
    adopted_.clear();
    for (size_t i = 0; i < pending_.size(); ++i) {
      if (i + kPrefetchAhead < pending_.size() && rows_.row_count(pending_[i + kPrefetchAhead]) == 1) {
        __builtin_prefetch(rows_.at(pending_[i + kPrefetchAhead], 0), 1);
      }
      if (pending_of_[pending_[i]] == 0) continue;  // orphaned, or listed twice
      FlushKey(pending_[i]);
      pending_of_[pending_[i]] = 0;
      if (output_.size() >= kEmitRows) output_.Send(out);
    }
    for (const auto& [key, rows] : orphans_) {
      for (const auto& [bytes, rank] : rows) output_.Add(bytes, rank, -1);
    }
    output_.Send(out);
    pending_.clear();
    orphans_.clear();
    removed_.clear();
    removed_bytes_.Clear();
  }

  void FlushKey(uint32_t slot) {
    olds_.clear();
    news_.clear();
    for (uint32_t entry = pending_of_[slot]; entry >= kFirstRemoved;
         entry = removed_[entry - kFirstRemoved].next) {
      olds_.push_back({removed_bytes_[entry - kFirstRemoved], removed_[entry - kFirstRemoved].rank});
    }
    if (!orphans_.empty()) Adopt(slot);
    top_.clear();
    rows_.Collect(slot, 0, ranking_.End(slot, 0, rows_.row_count(slot)), &top_);
    ranking_.ForEach(top_, [this](OrderedRow* row, int64_t rank) {
      const int64_t now = rank < options_.from ? 0 : options_.emit_rank ? rank : 1;
      if (row->tag == now) return;
      if (row->tag != 0) olds_.push_back({row->bytes(), row->tag});
      if (now != 0) news_.push_back({row->bytes(), now});
      rows_.SetTag(row, now);
    });
    CancelEquals(&olds_, &news_);
    for (const RankedBytes& row : olds_) output_.Add(row.bytes, row.rank, -1);
    for (const RankedBytes& row : news_) output_.Add(row.bytes, row.rank, 1);
  }

  /// Takes over what was sent under an earlier slot of the key.
  void Adopt(uint32_t slot) {
    std::string key;
    rows_.keys().AppendKey(slot, &key);
    const auto found = orphans_.find(key);
    if (found == orphans_.end()) return;
    adopted_.push_back(std::move(found->second));
    orphans_.erase(found);
    for (const auto& [bytes, rank] : adopted_.back()) olds_.push_back({bytes, rank});
  }

  void DropExpired(int64_t now_us) {
    std::vector<uint32_t> expired;
    for (const uint32_t slot : touched_.LiveSlots()) {
      if (now_us - touched_us(slot) >= options_.ttl_us) expired.push_back(slot);
    }
    if (expired.empty()) return;
    const auto count = static_cast<int64_t>(expired.size());
    touched_.ExportKeys(expired.data(), count, &keys_);
    slots_.resize(expired.size());
    rows_.FindKeys(keys_, nullptr, count, slots_.data());
    for (const uint32_t slot : slots_) {
      if (slot != kNoSlot) rows_.Remove(slot, 0, rows_.row_count(slot));
    }
    for (const uint32_t slot : expired) touched_.Remove(slot);
    context_.metrics->expired_keys.Add(count);
  }

  const TopNOptions options_;
  KeyBatch keys_;
  OrderedRows rows_;
  KeyedMap touched_;  // with a TTL
  RowCodec codec_;
  Ranking ranking_;
  RankedOutput output_;
  int64_t next_sweep_us_ = 0;

  // Since the last flush.
  std::vector<uint32_t> pending_;                     // keys that changed, in the order of their first change
  std::vector<uint32_t> pending_of_;                  // by slot
  std::vector<Removed> removed_;                      // rows as sent that are not in the top any more
  ByteStrings removed_bytes_;                         // [removed_.size()]
  std::unordered_map<std::string, OldRows> orphans_;  // by key bytes: likewise, of keys that lost all rows

  // Scratch.
  std::vector<uint32_t> slots_, emptied_;
  std::vector<int32_t> candidates_;
  ByteStrings sort_, encoded_;
  std::vector<OrderedRow*> top_;
  std::vector<RankedBytes> olds_, news_;
  std::vector<OldRows> adopted_;
};

/// Rows of a key are ordered by window (end, start), then by the order: the windows that close are at the
/// front.
class WindowTopN final : public Operator {
 public:
  explicit WindowTopN(TopNOptions options)
      : options_(std::move(options)),
        key_columns_(StateKeys(options_)),
        keys_(PickTypes(options_.input, key_columns_)),
        rows_(PickTypes(options_.input, key_columns_)),
        codec_(AllTypes(options_.input)),
        ranking_(rows_, options_.rank, options_.to),
        output_(codec_, options_.emit_rank) {}

  std::vector<StateTableSpec> state_tables() const override {
    return {OrderedTable("rows", RowsLayout(options_), PickFields(options_.input, StateKeys(options_)),
                         options_.input.fields, "tag"),
            ProgressTable()};
  }

  void OnBatch(int, Batch batch, Output&) override {
    const RowTimes starts(batch.columns[static_cast<size_t>(options_.window_start)]);
    const RowTimes ends(batch.columns[static_cast<size_t>(options_.window_end)]);
    live_.clear();
    for (int64_t row = 0; row < batch.num_rows; ++row) {
      if (starts.IsNull(row) || ends.IsNull(row) || ends[row] <= watermark_us_) continue;
      live_.push_back(static_cast<int32_t>(row));
    }
    const auto count = static_cast<int64_t>(live_.size());
    context_.metrics->late_rows.Add(batch.num_rows - count);
    if (count == 0) return;
    keys_.Assign(PickColumns(batch, key_columns_), batch.num_rows);
    slots_.resize(live_.size());
    rows_.FindOrInsertKeys(keys_, live_.data(), count, slots_.data());
    sort_.Clear();
    EncodeSortKeys(PickColumns(batch, options_.order_columns), options_.order, batch.num_rows, &sort_);
    encoded_.Clear();
    codec_.Encode(batch.columns, live_.data(), count, &encoded_);
    for (size_t i = 0; i < live_.size(); ++i) {
      const int32_t row = live_[i];
      for (int32_t copies = batch.weight(row); copies > 0; --copies) {
        Add({ends[row], starts[row]}, slots_[i], sort_[row], encoded_[static_cast<int64_t>(i)]);
      }
    }
  }

  void OnWatermark(int64_t watermark_us, Output& out) override {
    watermark_us_ = watermark_us;
    std::vector<std::pair<uint32_t, int64_t>>
        sent;  // rows to free once they are decoded, from the front of a key
    auto send = [&] {
      output_.Send(out);
      for (const auto& [slot, count] : sent) rows_.Remove(slot, 0, count);
      sent.clear();
    };
    while (!windows_.empty() && windows_.begin()->first.first <= watermark_us) {
      const Window window = windows_.begin()->first;
      for (const uint32_t slot : windows_.begin()->second) {
        const auto [begin, end] = Range(window, slot);
        top_.clear();
        rows_.Collect(slot, begin, end - begin, &top_);
        ranking_.ForEach(top_, [this](OrderedRow* row, int64_t rank) {
          if (rank >= options_.from && rank <= options_.to) output_.Add(row->bytes(), rank, 1);
        });
        sent.emplace_back(slot, end - begin);
        if (output_.size() >= kEmitRows) send();
      }
      windows_.erase(windows_.begin());
    }
    send();
    out.EmitWatermark(watermark_us);
  }

  void OnFlush(Output&) override {
    const uint32_t slots_end = rows_.keys().slots_end();
    rows_.Maintain();
    if (rows_.keys().slots_end() != slots_end) FindWindows();  // it gave keys other slots
    context_.metrics->state_rows.Set(rows_.size());
  }

  void Snapshot(SnapshotWriter& writer) override {
    rows_.Snapshot(writer, "rows");
    SnapshotProgress(writer, watermark_us_);
  }
  void Restore(const SnapshotReader& reader) override {
    rows_.Restore(reader, "rows");
    watermark_us_ = RestoreProgress(reader);
    FindWindows();
  }

 private:
  using Window = std::pair<int64_t, int64_t>;  // end, start

  static std::string Prefix(Window window) {
    std::string prefix;
    AppendSequence(window.first, &prefix);
    AppendSequence(window.second, &prefix);
    return prefix;
  }
  /// Positions of the window's rows.
  std::pair<int64_t, int64_t> Range(Window window, uint32_t slot) const {
    return {rows_.LowerBound(slot, Prefix(window)),
            rows_.LowerBound(slot, Prefix({window.first, window.second + 1}))};
  }

  void Add(Window window, uint32_t slot, std::string_view order_bytes, std::string_view bytes) {
    const auto [begin, end] = Range(window, slot);
    if (begin == end) {
      if (options_.to <= 0) return;
      windows_[window].push_back(slot);
    }
    sort_bytes_ = Prefix(window);
    sort_bytes_.append(order_bytes);
    if (ranking_.Rejects(slot, begin, end, sort_bytes_)) return;
    rows_.Insert(slot, sort_bytes_, bytes);
    const int64_t top_end = ranking_.End(slot, begin, end + 1);
    rows_.Remove(slot, top_end, end + 1 - top_end);
  }

  void FindWindows() {
    windows_.clear();
    for (const uint32_t slot : rows_.KeySlots()) {
      for (int64_t position = 0; position < rows_.row_count(slot);) {
        const std::string_view bytes = rows_.at(slot, position)->sort_bytes();
        const Window window{ReadSequence(bytes.substr(0, 8)), ReadSequence(bytes.substr(8, 8))};
        windows_[window].push_back(slot);
        position = Range(window, slot).second;
      }
    }
  }

  const TopNOptions options_;
  const std::vector<int> key_columns_;
  KeyBatch keys_;
  OrderedRows rows_;
  RowCodec codec_;
  Ranking ranking_;
  RankedOutput output_;
  std::map<Window, std::vector<uint32_t>> windows_;  // the keys that have rows in it
  int64_t watermark_us_ = kMinWatermark;

  // Scratch.
  std::vector<int32_t> live_;
  std::vector<uint32_t> slots_;
  ByteStrings sort_, encoded_;
  std::string sort_bytes_;
  std::vector<OrderedRow*> top_;
};

}  // namespace

std::unique_ptr<Operator> MakeTopN(TopNOptions options) {
  if (options.per_window) return std::make_unique<WindowTopN>(std::move(options));
  return std::make_unique<UpdatingTopN>(std::move(options));
}

}  // namespace laminar
