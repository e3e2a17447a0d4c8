#include "operators/distinct_sets.h"

#include <arrow/array.h>
#include <arrow/buffer.h>

#include <algorithm>

#include "base/error.h"
#include "state/row_bytes.h"

namespace laminar {

namespace {

constexpr size_t kFiltersMax = 64;
constexpr int64_t kChunkRows = 8192;

std::shared_ptr<arrow::Array> WrapOwners(const uint32_t* owners, int64_t count) {
  auto buffer = std::make_shared<arrow::Buffer>(reinterpret_cast<const uint8_t*>(owners), count * 4);
  return std::make_shared<arrow::UInt32Array>(count, std::move(buffer));
}

std::vector<int> TupleColumns(const AggregateSpec& spec) {
  std::vector<int> columns;
  for (const auto* part : {&spec.args, &spec.order}) {
    for (const int column : *part) {
      if (std::find(columns.begin(), columns.end(), column) == columns.end()) columns.push_back(column);
    }
  }
  return columns;
}

}  // namespace

DistinctPlan::DistinctPlan(const std::vector<AggregateSpec>& specs, const Schema& input) : specs_(specs) {
  for (size_t call = 0; call < specs.size(); ++call) {
    if (!specs[call].distinct) continue;
    const std::vector<int> columns = TupleColumns(specs[call]);
    const int filter = specs[call].filter;
    auto set = std::find_if(sets_.begin(), sets_.end(), [&](const Set& candidate) {
      const bool known = std::count(candidate.filters.begin(), candidate.filters.end(), filter) > 0;
      return candidate.columns == columns && (known || candidate.filters.size() < kFiltersMax);
    });
    if (set == sets_.end()) {
      sets_.push_back({columns, PickTypes(input, columns), {}, {}});
      set = sets_.end() - 1;
    }
    auto at = std::find(set->filters.begin(), set->filters.end(), filter);
    if (at == set->filters.end()) at = set->filters.insert(at, filter);
    set->users.push_back({call, static_cast<int>(at - set->filters.begin())});
  }
}

std::vector<std::shared_ptr<arrow::Array>> DistinctPlan::ArgsOf(
    const Set& set, size_t call, const std::vector<std::shared_ptr<arrow::Array>>& columns) const {
  std::vector<std::shared_ptr<arrow::Array>> args;
  for (const auto* part : {&specs_[call].args, &specs_[call].order}) {
    for (const int column : *part) {
      const auto at = std::find(set.columns.begin(), set.columns.end(), column);
      args.push_back(columns[static_cast<size_t>(at - set.columns.begin())]);
    }
  }
  return args;
}

StateTableSpec DistinctTable(std::string name, std::string layout, const DistinctPlan::Set& set,
                             const Schema& input, bool counts, std::vector<StatePart> before,
                             std::vector<StatePart> owner) {
  layout += (counts ? ": counts " : ": bits ") + std::to_string(set.filters.size());
  StateTableSpec table{std::move(name), 1, std::move(layout), std::move(before)};
  table.key.push_back(StatePart::Sized(std::move(owner)));
  table.key.push_back(StatePart::Key(PickFields(input, set.columns)));
  std::vector<Field> values;
  for (size_t filter = 0; filter < (counts ? set.filters.size() : 1); ++filter) {
    values.push_back({counts ? "count" + std::to_string(filter) : "filters", Type::Int64()});
  }
  table.value = {StatePart::Plain(std::move(values))};
  return table;
}

DistinctSets::DistinctSets(const DistinctPlan& plan, Mode mode) : plan_(&plan), mode_(mode) {
  for (const DistinctPlan::Set& set : plan.sets()) {
    std::vector<std::shared_ptr<arrow::DataType>> types{arrow::uint32()};
    types.insert(types.end(), set.types.begin(), set.types.end());
    keys_.emplace_back(types);
    const int64_t bits_bytes = mode == Mode::kLaterByOwner ? sizeof(LinkedBits) : sizeof(uint64_t);
    maps_.emplace_back(types,
                       mode == Mode::kCounts ? static_cast<int64_t>(set.filters.size()) * 8 : bits_bytes);
  }
  heads_.resize(maps_.size());
}

uint32_t DistinctSets::OwnerOf(std::string_view key) { return TakePlain<uint32_t>(&key); }

int64_t DistinctSets::size() const {
  int64_t entries = 0;
  for (const KeyedMap& map : maps_) entries += map.size();
  return entries;
}

size_t DistinctSets::ValueBytes(size_t index) const {
  return mode_ == Mode::kCounts ? static_cast<size_t>(maps_[index].record_bytes()) : sizeof(uint64_t);
}

void DistinctSets::Clear() {
  for (KeyedMap& map : maps_) map.Clear();
  for (auto& heads : heads_) heads = {};
}

void DistinctSets::Add(const Batch& batch, const int32_t* rows, int64_t count, const uint32_t* owners,
                       uint8_t* const* records, AccumulatorSet* accumulators) {
  for (size_t index = 0; index < maps_.size(); ++index) {
    AddToSet(index, batch, rows, count, owners, records, accumulators);
  }
}

void DistinctSets::AddToSet(size_t index, const Batch& batch, const int32_t* rows, int64_t count,
                            const uint32_t* owners, uint8_t* const* records, AccumulatorSet* accumulators) {
  const DistinctPlan::Set& set = plan_->sets()[index];
  passes_.assign(static_cast<size_t>(count), 0);
  uint64_t all = 0;
  for (size_t f = 0; f < set.filters.size(); ++f) {
    if (set.filters[f] < 0) {
      all |= uint64_t{1} << f;
      continue;
    }
    SelectTrue(*batch.columns[set.filters[f]], rows, count, &entries_);
    for (const int32_t entry : entries_) passes_[entry] |= uint64_t{1} << f;
  }
  // Rows that no filter takes leave no trace.
  owners_by_row_.resize(static_cast<size_t>(batch.num_rows));
  rows_.clear();
  records_.clear();
  size_t kept = 0;
  for (int64_t i = 0; i < count; ++i) {
    const uint64_t passes = passes_[i] | all;
    if (passes == 0) continue;
    const int32_t row = rows ? rows[i] : static_cast<int32_t>(i);
    owners_by_row_[row] = owners[i];
    passes_[kept++] = passes;
    rows_.push_back(row);
    records_.push_back(records[i]);
  }
  if (kept == 0) return;
  Columns columns = PickColumns(batch, set.columns);
  const int32_t* weights = batch.weights ? batch.weights->raw_values() : nullptr;
  Batch dense;  // a few rows of a large batch are copied together first
  if (static_cast<int64_t>(kept) * 4 < batch.num_rows) {
    dense.num_rows = batch.num_rows;
    dense.columns = columns;
    dense.weights = batch.weights;
    dense = Take(dense, rows_);
    columns = dense.columns;
    if (weights) weights = dense.weights->raw_values();
    for (size_t i = 0; i < kept; ++i)
      owners_by_row_[i] = owners_by_row_[rows_[i]];  // rows_ rises: no overwriting ahead
    for (size_t i = 0; i < kept; ++i) rows_[i] = static_cast<int32_t>(i);
    owners_by_row_.resize(kept);
  }
  Columns key_columns{WrapOwners(owners_by_row_.data(), static_cast<int64_t>(owners_by_row_.size()))};
  key_columns.insert(key_columns.end(), columns.begin(), columns.end());
  keys_[index].Assign(key_columns, static_cast<int64_t>(owners_by_row_.size()));
  slots_.resize(kept);
  maps_[index].FindOrInsert(keys_[index], rows_.data(), static_cast<int64_t>(kept), slots_.data(), nullptr);
  if (mode_ == Mode::kCounts) {
    ApplyCounts(index, columns, weights, rows_.data(), static_cast<int64_t>(kept), records_.data(),
                accumulators);
  } else {
    ApplyBits(index, columns, rows_.data(), static_cast<int64_t>(kept), records_.data(), accumulators);
  }
}

/// Sets passes_ in the entries slots_; new bits go to the functions.
void DistinctSets::ApplyBits(size_t index, const Columns& columns, const int32_t* rows, int64_t count,
                             uint8_t* const* records, AccumulatorSet* accumulators) {
  const DistinctPlan::Set& set = plan_->sets()[index];
  changed_.clear();
  for (int64_t i = 0; i < count; ++i) {
    uint64_t* seen = bits(index, slots_[i]);
    const uint64_t fresh = passes_[i] & ~*seen;
    passes_[i] = fresh;
    if (fresh == 0) continue;
    if (*seen == 0 && mode_ == Mode::kLaterByOwner) Link(index, owners_by_row_[rows[i]], slots_[i]);
    maps_[index].MarkDirty(slots_[i]);
    *seen |= fresh;
    changed_.push_back(static_cast<int32_t>(i));
  }
  if (mode_ != Mode::kBits || changed_.empty()) return;
  std::vector<int32_t> call_rows;
  std::vector<uint8_t*> call_records;
  for (const DistinctPlan::User& user : set.users) {
    call_rows.clear();
    call_records.clear();
    for (const int32_t i : changed_) {
      if (!(passes_[i] >> user.filter & 1)) continue;
      call_rows.push_back(rows[i]);
      call_records.push_back(records[i]);
    }
    accumulators->UpdateCall(user.call, plan_->ArgsOf(set, user.call, columns), call_rows.data(),
                             static_cast<int64_t>(call_rows.size()), call_records.data(), nullptr);
  }
}

/// Adds weights to the counts of the entries slots_; a tuple's first and last row go to the functions.
void DistinctSets::ApplyCounts(size_t index, const Columns& columns, const int32_t* weights,
                               const int32_t* rows, int64_t count, uint8_t* const* records,
                               AccumulatorSet* accumulators) {
  const DistinctPlan::Set& set = plan_->sets()[index];
  KeyedMap& map = maps_[index];
  struct Change {
    std::vector<int32_t> rows;
    std::vector<uint8_t*> records;
  };
  std::vector<Change> came(set.filters.size()), gone(set.filters.size());
  changed_.clear();  // entries that may have come to nothing
  for (int64_t i = 0; i < count; ++i) {
    const int64_t weight = weights ? weights[rows[i]] : 1;
    int64_t* seen = counts(index, slots_[i]);
    map.MarkDirty(slots_[i]);
    for (size_t f = 0; f < set.filters.size(); ++f) {
      if (!(passes_[i] >> f & 1)) continue;
      const bool was_there = seen[f] > 0;
      seen[f] += weight;
      if (was_there == (seen[f] > 0)) continue;
      Change& change = was_there ? gone[f] : came[f];
      change.rows.push_back(rows[i]);
      change.records.push_back(records[i]);
    }
    if (weight < 0) changed_.push_back(static_cast<int32_t>(i));
  }
  for (const DistinctPlan::User& user : set.users) {
    const Columns args = plan_->ArgsOf(set, user.call, columns);
    const Change& in = came[user.filter];
    accumulators->UpdateCall(user.call, args, in.rows.data(), static_cast<int64_t>(in.rows.size()),
                             in.records.data(), nullptr);
    const Change& out = gone[user.filter];
    if (out.rows.empty()) continue;
    minus_one_.assign(static_cast<size_t>(*std::max_element(out.rows.begin(), out.rows.end())) + 1, -1);
    accumulators->UpdateCall(user.call, args, out.rows.data(), static_cast<int64_t>(out.rows.size()),
                             out.records.data(), minus_one_.data());
  }
  std::string key;
  for (const int32_t i : changed_) {
    const uint32_t slot = slots_[i];
    const int64_t* seen = counts(index, slot);
    if (!map.live(slot) || std::any_of(seen, seen + set.filters.size(), [](int64_t n) { return n != 0; }))
      continue;
    key.clear();
    map.AppendKey(slot, &key);
    if (map.RemoveQuietly(slot) && forgotten_) forgotten_(index, OwnerOf(key), TupleOf(key));
  }
}

void DistinctSets::AddFrom(const DistinctSets& from, const std::vector<uint32_t>& owners) {
  for (size_t index = 0; index < maps_.size(); ++index) {
    const KeyedMap& source = from.maps_[index];
    const std::vector<uint32_t> entries = source.LiveSlots();
    for (size_t begin = 0; begin < entries.size(); begin += kChunkRows) {
      const int64_t count = std::min<int64_t>(kChunkRows, static_cast<int64_t>(entries.size() - begin));
      Columns columns = source.DecodeKeys(entries.data() + begin, count);
      const auto& old_owners = static_cast<const arrow::UInt32Array&>(*columns[0]);
      std::vector<uint32_t> new_owners(static_cast<size_t>(count));
      for (int64_t i = 0; i < count; ++i) new_owners[i] = owners[old_owners.Value(i)];
      columns[0] = WrapOwners(new_owners.data(), count);
      keys_[index].Assign(columns, count);
      slots_.resize(static_cast<size_t>(count));
      maps_[index].FindOrInsert(keys_[index], nullptr, count, slots_.data(), nullptr);
      for (int64_t i = 0; i < count; ++i) {
        *bits(index, slots_[i]) |= *reinterpret_cast<const uint64_t*>(source.record(entries[begin + i]));
      }
    }
  }
}

void DistinctSets::UpdateFrom(size_t index, const std::vector<uint32_t>& entries,
                              const std::function<uint8_t*(uint32_t owner)>& record_of,
                              AccumulatorSet* accumulators) const {
  std::vector<int32_t> rows;
  std::vector<uint8_t*> records;
  const DistinctPlan::Set& set = plan_->sets()[index];
  for (size_t begin = 0; begin < entries.size(); begin += kChunkRows) {
    const int64_t count = std::min<int64_t>(kChunkRows, static_cast<int64_t>(entries.size() - begin));
    Columns columns = maps_[index].DecodeKeys(entries.data() + begin, count);
    const auto owners = std::static_pointer_cast<arrow::UInt32Array>(columns[0]);
    columns.erase(columns.begin());
    for (const DistinctPlan::User& user : set.users) {
      rows.clear();
      records.clear();
      for (int64_t i = 0; i < count; ++i) {
        const uint64_t seen = *reinterpret_cast<const uint64_t*>(maps_[index].record(entries[begin + i]));
        if (!(seen >> user.filter & 1)) continue;
        rows.push_back(static_cast<int32_t>(i));
        records.push_back(record_of(owners->Value(i)));
      }
      accumulators->UpdateCall(user.call, plan_->ArgsOf(set, user.call, columns), rows.data(),
                               static_cast<int64_t>(rows.size()), records.data(), nullptr);
    }
  }
}

void DistinctSets::UpdateFromEntries(const std::function<uint8_t*(uint32_t owner)>& record_of,
                                     AccumulatorSet* accumulators) const {
  for (size_t index = 0; index < maps_.size(); ++index)
    UpdateFrom(index, maps_[index].LiveSlots(), record_of, accumulators);
}

void DistinctSets::RemoveOwners(const std::function<bool(uint32_t owner)>& is_gone,
                                const Forgotten& forgotten) {
  std::string key;
  for (size_t index = 0; index < maps_.size(); ++index) {
    KeyedMap& map = maps_[index];
    for (const uint32_t slot : map.LiveSlots()) {
      key.clear();
      map.AppendKey(slot, &key);
      if (!is_gone(OwnerOf(key))) continue;
      if (map.RemoveQuietly(slot)) forgotten(index, OwnerOf(key), TupleOf(key));
    }
  }
}

// Entries by owner

void DistinctSets::Link(size_t index, uint32_t owner, uint32_t slot) {
  std::vector<uint32_t>& heads = heads_[index];
  if (owner >= heads.size()) heads.resize(std::max<size_t>(owner + 1, heads.size() * 2), kNoSlot);
  linked(index, slot)->next = heads[owner];
  heads[owner] = slot;
}

void DistinctSets::UpdateFromOwners(const std::vector<uint32_t>& owners,
                                    const std::function<uint8_t*(uint32_t owner)>& record_of,
                                    AccumulatorSet* accumulators) const {
  std::vector<uint32_t> entries;
  for (size_t index = 0; index < maps_.size(); ++index) {
    entries.clear();
    for (const uint32_t owner : owners) {
      const size_t first = entries.size();
      uint32_t slot = owner < heads_[index].size() ? heads_[index][owner] : kNoSlot;
      while (slot != kNoSlot) {
        entries.push_back(slot);
        slot = reinterpret_cast<const LinkedBits*>(maps_[index].record(slot))->next;
      }
      std::reverse(entries.begin() + static_cast<int64_t>(first), entries.end());  // oldest first
    }
    UpdateFrom(index, entries, record_of, accumulators);
  }
}

void DistinctSets::MoveOwner(uint32_t from, uint32_t to, const Forgotten& forgotten) {
  std::string key;
  for (size_t index = 0; index < maps_.size(); ++index) {
    if (from >= heads_[index].size()) continue;
    KeyedMap& map = maps_[index];
    uint32_t slot = std::exchange(heads_[index][from], kNoSlot);
    while (slot != kNoSlot) {
      const LinkedBits entry = *linked(index, slot);
      key.clear();
      map.AppendKey(slot, &key);
      if (map.RemoveQuietly(slot)) forgotten(index, from, TupleOf(key));
      slot = entry.next;
      if (to == kNoSlot) continue;
      std::memcpy(key.data(), &to, sizeof to);
      const uint32_t moved = map.Restore(key, false);
      if (linked(index, moved)->bits == 0) Link(index, to, moved);
      map.MarkDirty(moved);
      linked(index, moved)->bits |= entry.bits;
    }
  }
}

// Snapshots

void DistinctSets::Snapshot(SnapshotWriter& writer, const WriteTuple& write) {
  for (size_t index = 0; index < maps_.size(); ++index) {
    const KeyedMap& map = maps_[index];
    maps_[index].Snapshot(
        writer, TableName(index),
        [this, &map, index, write, key = std::string()](uint32_t slot, StateWriter& out) mutable {
          key.clear();
          map.AppendKey(slot, &key);
          const std::string_view value(reinterpret_cast<const char*>(map.record(slot)), ValueBytes(index));
          write(index, OwnerOf(key), TupleOf(key), value, out);
          return static_cast<int64_t>(key.size() + value.size());
        });
  }
}

void DistinctSets::FinishSnapshot() {
  for (KeyedMap& map : maps_) map.FinishSnapshot();
}

void DistinctSets::ForEachPersisted(const Forgotten& visit) const {
  std::string key;
  for (size_t index = 0; index < maps_.size(); ++index) {
    for (const uint32_t slot : maps_[index].LiveSlots()) {
      if (!maps_[index].persisted(slot)) continue;
      key.clear();
      maps_[index].AppendKey(slot, &key);
      visit(index, OwnerOf(key), TupleOf(key));
    }
  }
}

void DistinctSets::Restore(size_t set, uint32_t owner, std::string_view tuple, std::string_view value) {
  std::string key;
  AppendPlain(owner, &key);
  key.append(tuple);
  KeyedMap& map = maps_[set];
  const uint32_t slot = map.Restore(key);
  LAMINAR_CHECK(value.size() == ValueBytes(set), "a DISTINCT entry of another layout");
  std::memcpy(map.record(slot), value.data(), value.size());
  if (mode_ == Mode::kLaterByOwner) Link(set, owner, slot);
}

}  // namespace laminar
