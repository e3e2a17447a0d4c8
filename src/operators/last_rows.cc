#include "operators/last_rows.h"

#include <cstring>
#include <deque>

#include "formats/changes.h"
#include "operators/accumulator_set.h"
#include "state/keyed_map.h"
#include "state/row_arena.h"

namespace laminar {

namespace {

/// The bytes follow.
struct KeptRow {
  ArenaCell cell;
  uint32_t slot;
  uint32_t byte_count;
  std::string_view bytes() const { return {reinterpret_cast<const char*>(this + 1), byte_count}; }
};

class LastRows final : public Operator {
 public:
  explicit LastRows(LastRowsOptions options)
      : options_(std::move(options)),
        codec_(AllTypes(options_.input)),
        keys_(PickTypes(options_.input, options_.keys)),
        map_(PickTypes(options_.input, options_.keys), sizeof(KeptRow*)) {}

  std::vector<StateTableSpec> state_tables() const override {
    std::string layout;
    for (const int key : options_.keys) layout += options_.input.fields[key].type.ToString() + ", ";
    return {{"rows",
             1,
             layout + "-> " + options_.input.ToString(),
             {StatePart::Key(PickFields(options_.input, options_.keys))},
             {StatePart::Row(options_.input.fields)}}};
  }

  void OnBatch(int, Batch batch, Output& out) override {
    keys_.Assign(PickColumns(batch, options_.keys), batch.num_rows);
    encoded_.Clear();
    codec_.Encode(batch.columns, nullptr, batch.num_rows, &encoded_);
    changed_.clear();
    weights_.clear();
    old_rows_.clear();
    as_it_is_ = true;
    for (int64_t row = 0; row < batch.num_rows; ++row) AddRow(static_cast<int32_t>(row), batch.weight(row));
    if (as_it_is_) {
      out.Emit(std::move(batch));
    } else if (!changed_.empty()) {
      out.Emit({.num_rows = static_cast<int64_t>(changed_.size()),
                .columns = codec_.Decode(changed_),
                .weights = MakeWeights(weights_)});
    }
    Compact();
    context_.metrics->state_rows.Set(map_.size());
  }

  void Snapshot(SnapshotWriter& writer) override {
    map_.Snapshot(writer, "rows",
                  [this](uint32_t slot, std::string* out) { out->append(row_at(slot)->bytes()); });
  }

  void Restore(const SnapshotReader& reader) override {
    map_.Restore(reader, "rows", [this](uint32_t slot, const StateEntry& entry) { Keep(slot, entry.value); });
  }

 private:
  KeptRow*& row_at(uint32_t slot) { return *reinterpret_cast<KeptRow**>(map_.record(slot)); }

  void Keep(uint32_t slot, std::string_view bytes) {
    auto* row =
        reinterpret_cast<KeptRow*>(arena_.Allocate(static_cast<int64_t>(sizeof(KeptRow) + bytes.size())));
    row->slot = slot;
    row->byte_count = static_cast<uint32_t>(bytes.size());
    if (!bytes.empty()) std::memcpy(row + 1, bytes.data(), bytes.size());
    row_at(slot) = row;
  }

  void Compact() {
    for (const uint32_t block : arena_.SparseBlocks()) {
      arena_.ForEachCell(block, [this](ArenaCell* cell) {
        const auto* row = reinterpret_cast<const KeptRow*>(cell);
        Keep(row->slot, row->bytes());
        arena_.Free(cell);
      });
    }
  }

  void AddRow(int32_t row, int32_t weight) {
    const std::string_view given = encoded_[row];
    uint32_t slot;
    map_.Find(keys_, &row, 1, &slot);
    const bool known = slot != kNoSlot;
    if (weight < 0) {
      if (known) {
        as_it_is_ = as_it_is_ && weight == -1 && row_at(slot)->bytes() == given;
        map_.Preserve(slot);
        TakeBack(slot);
        map_.Remove(slot);
      } else {
        as_it_is_ = false;
      }
      return;
    }
    as_it_is_ = as_it_is_ && weight == 1 && !known;
    if (known && row_at(slot)->bytes() == given) return;
    if (!known) map_.FindOrInsert(keys_, &row, 1, &slot, nullptr);
    map_.MarkDirty(slot);
    if (known) TakeBack(slot);
    Keep(slot, given);
    Send(given, 1);
  }

  void TakeBack(uint32_t slot) {
    old_rows_.emplace_back(row_at(slot)->bytes());
    arena_.Free(&row_at(slot)->cell);
    Send(old_rows_.back(), -1);
  }

  void Send(std::string_view row, int32_t weight) {
    changed_.push_back(row);
    weights_.push_back(weight);
  }

  const LastRowsOptions options_;
  const RowCodec codec_;
  KeyBatch keys_;
  KeyedMap map_;
  RowArena arena_;  // the rows; each key's record points to its own

  // Scratch of one batch.
  ByteStrings encoded_;
  std::deque<std::string> old_rows_;
  std::vector<std::string_view> changed_;  // into encoded_ and old_rows_
  std::vector<int32_t> weights_;
  bool as_it_is_ = true;  // what goes out is the batch
};

}  // namespace

std::unique_ptr<Operator> MakeLastRows(LastRowsOptions options) {
  return std::make_unique<LastRows>(std::move(options));
}

}  // namespace laminar
