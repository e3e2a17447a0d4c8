#include "state/frozen_table.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <string>

#include "state/keyed_log.h"
#include "state/keyed_map.h"
#include "state/ordered_rows.h"
#include "state/record_pool.h"
#include "state/row_bytes.h"
#include "support/state_backends.h"
#include "support/test_keys.h"

namespace laminar {
namespace {

class FrozenTableTest : public OnBothBackends {};
INSTANTIATE_TEST_SUITE_P(Backends, FrozenTableTest, BothBackends(), BackendName);

using Entries = std::map<std::string, std::string>;  // entry key → value

Entries EntriesOf(const MemorySnapshot& snapshot) {
  Entries entries;
  for (const auto& [name, table] : snapshot.tables()) {
    for (const auto& [key, value] : table) entries[key.second] = value;
  }
  return entries;
}

/// Begins a snapshot now and then and writes it in slices between the changes that a test makes; each must
/// come to what the container held when it was begun. Some begin before the last one is whole.
class Barriers {
 public:
  explicit Barriers(std::mt19937_64& random) : random_(random) {}

  /// Between two changes. `begin(writer)` calls Snapshot, `dump()` tells all entries.
  template <typename Begin, typename Dump>
  void Step(const Begin& begin, const Dump& dump) {
    if (random_() % (open_ ? 300 : 30) == 0) {
      cut_short += open_ != nullptr;
      expected_ = dump();
      auto next = std::make_unique<SlicedSnapshot>(snapshot.Writer());
      begin(*next);
      open_ = std::move(next);
    }
    if (!open_) return;
    ++slices;
    int64_t bytes = static_cast<int64_t>(random_() % 500);
    if (!open_->WriteSlice(&bytes)) return;
    open_.reset();
    ++whole;
    ASSERT_EQ(EntriesOf(snapshot), expected_);
  }

  MemorySnapshot snapshot;
  int whole = 0, cut_short = 0, slices = 0;

 private:
  std::mt19937_64& random_;
  std::unique_ptr<SlicedSnapshot> open_;
  Entries expected_;
};

template <typename T>
std::string Bytes(const T& value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

TEST_P(FrozenTableTest, MapIsWrittenAsItWasAtTheBarrier) {
  for (const Types& types : KeyShapes()) {
    std::mt19937_64 random(17);
    Barriers barriers(random);
    KeyedMap map(types, 8);
    KeyBatch keys(types);
    const auto value_at = [&](uint32_t slot) { return reinterpret_cast<int64_t*>(map.record(slot)); };
    const auto begin = [&](SnapshotWriter& writer) {
      map.Snapshot(writer, "t",
                   [&](uint32_t slot, std::string* out) { out->append(Bytes(*value_at(slot))); });
    };
    const auto dump = [&] {
      Entries entries;
      for (const uint32_t slot : map.LiveSlots()) {
        std::string key;
        map.AppendKey(slot, &key);
        entries[key] = Bytes(*value_at(slot));
      }
      return entries;
    };
    for (int step = 0; step < 3000; ++step) {
      const bool many = step / 500 % 2 == 0;  // then they go, and the map is compacted
      std::vector<int> values;
      for (uint64_t n = random() % 6; n > 0; --n) values.push_back(static_cast<int>(random() % 8000));
      if (many && step % 200 == 0) {
        for (int value = 0; value < 5000; ++value) values.push_back(value);
      }
      keys.Assign(KeysOf(types, values), static_cast<int64_t>(values.size()));
      std::vector<uint32_t> slots(values.size());
      map.FindOrInsert(keys, nullptr, keys.size(), slots.data(), nullptr);
      for (const uint32_t slot : slots) {
        map.MarkDirty(slot);
        *value_at(slot) += 1 + static_cast<int64_t>(random() % 9);
      }
      if (map.slots_end() > 0 && random() % 2) {
        for (uint64_t n = many ? random() % 4 : 200; n > 0; --n) {
          const auto slot = static_cast<uint32_t>(random() % map.slots_end());
          if (map.live(slot)) map.Remove(slot);
        }
      }
      map.Compact();
      if (random() % 1000 == 0) map.Clear();
      barriers.Step(begin, dump);
      if (HasFatalFailure()) return;
    }
    EXPECT_GT(barriers.whole, 10);
    EXPECT_GT(barriers.cut_short, 5);
  }
}

TEST_P(FrozenTableTest, PoolIsWrittenAsItWasAtTheBarrier) {
  std::mt19937_64 random(5);
  Barriers barriers(random);
  RecordPool pool(8);
  std::vector<uint32_t> slots;
  DeletedKeys deleted;
  const auto value_at = [&](uint32_t slot) { return reinterpret_cast<int64_t*>(pool.record(slot)); };
  // The slot is part of the key here: its next owner is another entry, told apart by the value.
  const auto begin = [&](SnapshotWriter& writer) {
    deleted.Write(writer.Table("t"));
    pool.Snapshot(writer, "t", [&](uint32_t slot, StateWriter& out) {
      out.Put(3, Bytes(slot), Bytes(*value_at(slot)));
      return int64_t{12};
    });
  };
  const auto dump = [&] {
    Entries entries;
    for (const uint32_t slot : slots) entries[Bytes(slot)] = Bytes(*value_at(slot));
    return entries;
  };
  for (int step = 0; step < 10'000; ++step) {
    const uint64_t choice = random() % 4;
    if (slots.empty() || (choice == 0 && slots.size() < 300)) {
      slots.push_back(pool.Add());
      pool.MarkDirty(slots.back());
      *value_at(slots.back()) = static_cast<int64_t>(random());
    } else if (choice == 1) {
      const size_t at = random() % slots.size();
      const uint32_t slot = slots[at];
      pool.Preserve(slot);
      if (pool.persisted(slot)) deleted.Add(3, Bytes(slot));
      *value_at(slot) = -1;
      pool.Remove(slot);
      slots[at] = slots.back();
      slots.pop_back();
      if (slots.empty()) pool.Trim();
    } else {
      const uint32_t slot = slots[random() % slots.size()];
      pool.MarkDirty(slot);
      ++*value_at(slot);
    }
    barriers.Step(begin, dump);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(barriers.whole, 100);
  EXPECT_GT(barriers.slices, 3 * barriers.whole);
}

TEST_P(FrozenTableTest, LogIsWrittenAsItWasAtTheBarrier) {
  const Types types = {arrow::int64()};
  std::mt19937_64 random(6);
  Barriers barriers(random);
  KeyedLog log(types, {.expires = true});
  KeyBatch keys(types);
  const auto begin = [&](SnapshotWriter& writer) { log.Snapshot(writer, "t"); };
  const auto dump = [&] {
    Entries entries;
    log.ForEach([&](LogRow& row) {
      std::string key;
      log.keys().AppendKey(row.slot, &key);
      AppendSequence(row.sequence, &key);
      entries[key] = Bytes(row.time) + Bytes(row.weight) + Bytes(row.matches) + std::string(row.bytes());
    });
    return entries;
  };
  int64_t now = 0;
  for (int step = 0; step < 10'000; ++step) {
    keys.Assign(KeysOf(types, {static_cast<int>(random() % 30)}), 1);
    uint32_t slot;
    log.FindOrInsertKeys(keys, nullptr, 1, &slot);
    const std::string bytes(random() % 400, 'x');
    for (uint64_t n = random() % 4; n > 0; --n) {
      log.Append(slot, now + static_cast<int64_t>(random() % 9'000'000), 1, bytes);
    }
    if (LogRow* row = log.first(slot)) {
      if (random() % 2) log.SetMatches(row, row->matches + 1);
      if (random() % 4 == 0) log.SetTime(row, row->time + 1);
      if (random() % 4 == 0) log.SetWeight(row, row->weight + 1);
      if (random() % 3 == 0) log.Remove(row);
    }
    // The log grows to some thousand rows and shrinks to nearly none, so that blocks are compacted and
    // reused.
    if (random() % 20 == 0) {
      now += static_cast<int64_t>(random() % (step / 1000 % 2 ? 3'000'000 : 100'000));
      log.ExpireBefore(now, nullptr);
    }
    if (random() % 30 == 0) log.Maintain();
    barriers.Step(begin, dump);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(barriers.whole, 50);
  EXPECT_GT(barriers.cut_short, 20);
}

TEST_P(FrozenTableTest, OrderedRowsAreWrittenAsTheyWereAtTheBarrier) {
  const Types types = {arrow::int64()};
  std::mt19937_64 random(7);
  Barriers barriers(random);
  OrderedRows rows(types);
  KeyBatch keys(types);
  const auto begin = [&](SnapshotWriter& writer) { rows.Snapshot(writer, "t"); };
  const auto dump = [&] {
    Entries entries;
    for (const uint32_t slot : rows.KeySlots()) {
      for (int64_t i = 0; i < rows.row_count(slot); ++i) {
        const OrderedRow& row = *rows.at(slot, i);
        std::string key;
        rows.keys().AppendKey(slot, &key);
        AppendSequence(row.sequence, &key);
        entries[key] = Bytes(row.tag) + Bytes(row.sort_byte_count) + std::string(row.sort_bytes()) +
                       std::string(row.bytes());
      }
    }
    return entries;
  };
  for (int step = 0; step < 10'000; ++step) {
    keys.Assign(KeysOf(types, {static_cast<int>(random() % 30)}), 1);
    uint32_t slot;
    rows.FindOrInsertKeys(keys, nullptr, 1, &slot);
    rows.Insert(slot, std::to_string(random() % 100), std::string(random() % 400, 'x'), 0);
    for (uint64_t n = random() % 3; n > 0; --n) {
      const auto at = static_cast<int64_t>(random() % static_cast<uint64_t>(rows.row_count(slot)));
      rows.SetTag(rows.at(slot, at), static_cast<int64_t>(random() % 5));
    }
    if (random() % (step / 1000 % 2 ? 2 : 15) == 0) {
      const auto count = static_cast<int64_t>(random() % static_cast<uint64_t>(rows.row_count(slot) + 1));
      rows.Remove(slot, 0, count);
    }
    if (random() % 30 == 0) rows.Maintain();
    barriers.Step(begin, dump);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(barriers.whole, 50);
  EXPECT_GT(barriers.cut_short, 20);
}

TEST_P(FrozenTableTest, ASliceIsBoundedAndASnapshotThatIsGivenUpIsForgotten) {
  const Types types = {arrow::int64()};
  KeyBatch keys(types);
  std::vector<int> values(1000);
  for (int i = 0; i < 1000; ++i) values[static_cast<size_t>(i)] = i;
  keys.Assign(KeysOf(types, values), 1000);
  KeyedMap map(types, 8);
  std::vector<uint32_t> slots(1000);
  map.FindOrInsert(keys, nullptr, 1000, slots.data(), nullptr);
  map.MarkDirty(slots.data(), 1000);
  MemorySnapshot snapshot;
  auto sliced = std::make_unique<SlicedSnapshot>(snapshot.Writer());
  map.Snapshot(*sliced, "t", [](uint32_t, std::string* out) { out->append("12345678"); });
  EXPECT_EQ(snapshot.num_entries(), 0);
  int64_t bytes = 10 * (kSliceEntryBytes + 16);
  EXPECT_FALSE(sliced->WriteSlice(&bytes));
  EXPECT_EQ(snapshot.num_entries(), 10);
  for (bytes = 1; !sliced->WriteSlice(&bytes); bytes = 1) {
  }
  EXPECT_EQ(snapshot.num_entries(), map.size());
  // Either may go first.
  map.MarkDirty(slots.data(), 1000);
  auto gone = std::make_unique<KeyedMap>(types, 8);
  gone->FindOrInsert(keys, nullptr, 1000, slots.data(), nullptr);
  gone->MarkDirty(slots.data(), 1000);
  gone->Snapshot(*sliced, "t", [](uint32_t, std::string* out) { out->append("x"); });
  map.Snapshot(*sliced, "t", [](uint32_t, std::string*) {});
  gone.reset();
  sliced.reset();
}

}  // namespace
}  // namespace laminar
