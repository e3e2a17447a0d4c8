#include "operators/deduplicate.h"

#include <arrow/array.h>

#include <algorithm>

#include "base/error.h"
#include "operators/accumulator_set.h"
#include "operators/row_times.h"
#include "operators/window_times.h"
#include "state/keyed_log.h"
#include "state/keyed_map.h"
#include "state/row_bytes.h"

namespace laminar {
namespace {

constexpr int64_t kSweepsPerTtl = 8;
constexpr int64_t kFireRows = 16384;  // per output batch
constexpr uint8_t kClosed = 1;        // mark: the key's row has gone out

/// Keys whose row has gone out, with the time they were last touched when there is a TTL.
class ClosedKeys {
 public:
  ClosedKeys(std::vector<std::shared_ptr<arrow::DataType>> key_types, int64_t ttl_us)
      : ttl_us_(ttl_us), map_(std::move(key_types), ttl_us > 0 ? sizeof(int64_t) : 0) {}

  /// Appends rows that are the first of their keys, which are closed now.
  void Close(const KeyBatch& keys, int64_t count, int64_t now_us, std::vector<int32_t>* first_rows) {
    slots_.resize(static_cast<size_t>(count));
    map_.FindOrInsert(keys, nullptr, count, slots_.data(), nullptr);
    for (int64_t row = 0; row < count; ++row) {
      const uint32_t slot = slots_[static_cast<size_t>(row)];
      uint8_t& mark = map_.mark(slot);
      if (mark == kClosed) {
        if (ttl_us_ > 0) Touch(slot, now_us);
        continue;
      }
      mark = kClosed;
      map_.MarkDirty(slot);
      if (ttl_us_ > 0) touched_us(slot) = now_us;
      if (first_rows) first_rows->push_back(static_cast<int32_t>(row));
    }
  }

  /// Appends rows whose keys are still open.
  void SelectOpen(const KeyBatch& keys, int64_t count, int64_t now_us, std::vector<int32_t>* rows) {
    slots_.resize(static_cast<size_t>(count));
    map_.Find(keys, nullptr, count, slots_.data());
    for (int64_t row = 0; row < count; ++row) {
      const uint32_t slot = slots_[static_cast<size_t>(row)];
      if (slot == kNoSlot) {
        rows->push_back(static_cast<int32_t>(row));
      } else if (ttl_us_ > 0) {
        Touch(slot, now_us);
      }
    }
  }

  /// Returns how many keys were forgotten.
  int64_t DropExpired(int64_t now_us) {
    int64_t count = 0;
    for (const uint32_t slot : map_.LiveSlots()) {
      if (now_us - touched_us(slot) < ttl_us_) continue;
      map_.Remove(slot);
      ++count;
    }
    return count;
  }

  void Maintain() { map_.Compact(); }
  int64_t size() const { return map_.size(); }

  void Snapshot(SnapshotWriter& writer, std::string_view table) {
    map_.Snapshot(writer, table, [this](uint32_t slot, std::string* out) {
      if (ttl_us_ > 0) AppendPlain(touched_us(slot), out);
    });
  }
  void Restore(const SnapshotReader& reader, std::string_view table) {
    map_.Restore(reader, table, [this](uint32_t slot, const StateEntry& entry) {
      map_.mark(slot) = kClosed;
      std::string_view value = entry.value;
      if (ttl_us_ > 0) touched_us(slot) = TakePlain<int64_t>(&value);
    });
  }

 private:
  int64_t& touched_us(uint32_t slot) { return *reinterpret_cast<int64_t*>(map_.record(slot)); }
  /// Coarsely, so that a busy key is not written at every barrier.
  void Touch(uint32_t slot, int64_t now_us) {
    if (now_us - touched_us(slot) < ttl_us_ / kSweepsPerTtl) return;
    map_.MarkDirty(slot);
    touched_us(slot) = now_us;
  }

  const int64_t ttl_us_;
  KeyedMap map_;
  std::vector<uint32_t> slots_;  // scratch
};

class Deduplicate final : public Operator {
 public:
  explicit Deduplicate(DeduplicateOptions options)
      : options_(std::move(options)),
        keys_(PickTypes(options_.input, options_.keys)),
        closed_(PickTypes(options_.input, options_.keys), options_.ttl_us),
        codec_(AllTypes(options_.input)),
        waiting_(PickTypes(options_.input, options_.keys), {.expires = true}) {}

  std::vector<StateTableSpec> state_tables() const override {
    std::string layout;
    for (const int key : options_.keys) layout += options_.input.fields[key].type.ToString() + ", ";
    const std::vector<Field> keys = PickFields(options_.input, options_.keys);
    std::vector<StateTableSpec> tables{
        {"keys", 1, layout + (options_.ttl_us > 0 ? "-> TIMESTAMP" : "->"), {StatePart::Key(keys)}}};
    if (options_.ttl_us > 0) tables[0].value = {StatePart::Plain({{"touched", Type::Timestamp()}})};
    if (!by_time()) return tables;
    tables.push_back(
        LogTable("waiting", layout + "-> " + options_.input.ToString(), keys, options_.input.fields));
    tables.push_back(ProgressTable());
    return tables;
  }

  void Open(const OperatorContext& context) override {
    Operator::Open(context);
    if (options_.ttl_us > 0) next_sweep_us_ = context_.clock->now_us() + SweepInterval();
  }

  void OnBatch(int, Batch batch, Output& out) override {
    keys_.Assign(PickColumns(batch, options_.keys), batch.num_rows);
    const int64_t now_us = options_.ttl_us > 0 ? context_.clock->now_us() : 0;
    rows_.clear();
    if (by_time()) {
      closed_.SelectOpen(keys_, batch.num_rows, now_us, &rows_);
      if (Wait(batch)) Fire(watermark_us_, out);
      return;
    }
    closed_.Close(keys_, batch.num_rows, now_us, &rows_);
    if (rows_.empty()) return;
    const bool all = static_cast<int64_t>(rows_.size()) == batch.num_rows;
    out.Emit(all ? std::move(batch) : Take(batch, rows_));
  }

  void OnWatermark(int64_t watermark_us, Output& out) override {
    watermark_us_ = watermark_us;
    if (by_time()) Fire(watermark_us, out);
    out.EmitWatermark(watermark_us);
  }

  void OnFlush(Output&) override {
    waiting_.Maintain();
    closed_.Maintain();
    context_.metrics->state_rows.Set(closed_.size() + waiting_.size());
  }

  std::optional<int64_t> next_timer_us() const override {
    return options_.ttl_us > 0 ? std::optional<int64_t>(next_sweep_us_) : std::nullopt;
  }
  void OnTimer(int64_t now_us, Output&) override {
    next_sweep_us_ = now_us + SweepInterval();
    context_.metrics->expired_keys.Add(closed_.DropExpired(now_us));
  }

  void Snapshot(SnapshotWriter& writer) override {
    closed_.Snapshot(writer, "keys");
    if (!by_time()) return;
    waiting_.Snapshot(writer, "waiting");
    SnapshotProgress(writer, watermark_us_);
  }
  void Restore(const SnapshotReader& reader) override {
    closed_.Restore(reader, "keys");
    if (!by_time()) return;
    waiting_.Restore(reader, "waiting");
    watermark_us_ = RestoreProgress(reader);
  }

 private:
  bool by_time() const { return options_.time_column >= 0; }
  int64_t SweepInterval() const { return std::max<int64_t>(options_.ttl_us / kSweepsPerTtl, 1000); }

  /// Keeps the earliest row of each open key (`rows_`); true when one is due already. A row without a time
  /// has no place in the order: it is bad.
  bool Wait(const Batch& batch) {
    const RowTimes times(batch.columns[static_cast<size_t>(options_.time_column)]);
    if (times.has_nulls()) {
      const size_t before = rows_.size();
      std::erase_if(rows_, [&](int32_t row) { return times.IsNull(row); });
      context_.metrics->bad_records.Add(static_cast<int64_t>(before - rows_.size()));
    }
    const auto count = static_cast<int64_t>(rows_.size());
    if (count == 0) return false;
    slots_.resize(rows_.size());
    waiting_.FindOrInsertKeys(keys_, rows_.data(), count, slots_.data());
    // Bytes are made only of rows that beat what waited when the batch came.
    std::vector<int32_t> better;
    std::vector<uint32_t> better_slots;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const LogRow* held = waiting_.first(slots_[i]);
      if (held && held->time <= times[rows_[i]]) continue;
      better.push_back(rows_[i]);
      better_slots.push_back(slots_[i]);
    }
    ByteStrings encoded;
    codec_.Encode(batch.columns, better.data(), static_cast<int64_t>(better.size()), &encoded);
    bool due = false;
    for (size_t i = 0; i < better.size(); ++i) {
      const int64_t time = times[better[i]];
      LogRow* held = waiting_.first(better_slots[i]);
      if (held && held->time <= time) continue;
      if (held) waiting_.Remove(held);
      waiting_.Append(better_slots[i], time, 1, encoded[static_cast<int64_t>(i)]);
      due = due || time <= watermark_us_;
    }
    return due;
  }

  /// Sends the rows that no earlier one can beat, and closes their keys. Ties go by arrival, so a row at the
  /// watermark is due.
  void Fire(int64_t watermark_us, Output& out) {
    ByteStrings due;
    const int64_t before = FirstOpenEnd(watermark_us);
    waiting_.ExpireBefore(before, [&due](const LogRow& row) { due.Append(row.bytes()); });
    for (int64_t begin = 0; begin < due.size(); begin += kFireRows) {
      std::vector<std::string_view> rows;
      for (int64_t i = begin; i < std::min(begin + kFireRows, due.size()); ++i) rows.push_back(due[i]);
      Batch batch;
      batch.num_rows = static_cast<int64_t>(rows.size());
      batch.columns = codec_.Decode(rows);
      keys_.Assign(PickColumns(batch, options_.keys), batch.num_rows);
      closed_.Close(keys_, batch.num_rows, context_.clock->now_us(), nullptr);
      out.Emit(std::move(batch));
    }
  }

  const DeduplicateOptions options_;
  KeyBatch keys_;
  ClosedKeys closed_;
  RowCodec codec_;
  KeyedLog waiting_;  // by time: the earliest row so far of each open key
  int64_t watermark_us_ = kMinWatermark;
  int64_t next_sweep_us_ = 0;
  std::vector<int32_t> rows_;    // scratch
  std::vector<uint32_t> slots_;  // scratch
};

}  // namespace

std::unique_ptr<Operator> MakeDeduplicate(DeduplicateOptions options) {
  return std::make_unique<Deduplicate>(std::move(options));
}

}  // namespace laminar
