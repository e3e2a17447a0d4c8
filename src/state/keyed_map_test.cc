#include "state/keyed_map.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "support/state_backends.h"
#include "support/test_keys.h"

namespace laminar {
namespace {

class KeyedMapTest : public OnBothBackends {};
INSTANTIATE_TEST_SUITE_P(Backends, KeyedMapTest, BothBackends(), BackendName);

TEST_P(KeyedMapTest, FollowsAModelThroughInsertRemoveSnapshotRestore) {
  for (const Types& types : KeyShapes()) {
    std::mt19937_64 rng(3);
    auto map = std::make_unique<KeyedMap>(types, 8);
    std::map<int, int64_t> model;
    MemorySnapshot snapshot, older;
    int forgotten = 0;
    KeyBatch keys(types);
    auto value_at = [&](uint32_t slot) { return reinterpret_cast<int64_t*>(map->record(slot)); };
    for (int step = 0; step < 120; ++step) {
      std::vector<int> values;
      const int range = step < 60 ? 5000 : 300;  // the second half leaves most slots free
      for (uint64_t n = rng() % 400; n > 0; --n) values.push_back(static_cast<int>(rng() % range));
      keys.Assign(KeysOf(types, values), static_cast<int64_t>(values.size()));
      std::vector<uint32_t> slots(values.size()), inserted;
      if (step % 3 != 2) {
        map->FindOrInsert(keys, nullptr, keys.size(), slots.data(), &inserted);
        std::set<int> fresh;
        for (size_t i = 0; i < values.size(); ++i) {
          if (!model.count(KeyId(values[i]))) fresh.insert(KeyId(values[i]));
          map->MarkDirty(slots[i]);
          *value_at(slots[i]) += values[i] + 1;
          model[KeyId(values[i])] += values[i] + 1;
        }
        ASSERT_EQ(inserted.size(), fresh.size());
      } else {
        map->Find(keys, nullptr, keys.size(), slots.data());
        std::set<uint32_t> found;
        for (size_t i = 0; i < values.size(); ++i) {
          ASSERT_EQ(slots[i] != kNoSlot, model.count(KeyId(values[i])) == 1);
          if (slots[i] != kNoSlot) found.insert(slots[i]);
        }
        for (const uint32_t slot : found) map->Remove(slot);
        for (const int value : values) model.erase(KeyId(value));
      }
      ASSERT_EQ(map->size(), static_cast<int64_t>(model.size()));
      if (step % 10 == 4) {
        auto writer = snapshot.Writer();
        map->Snapshot(*writer, "t", [&](uint32_t slot, std::string* out) {
          out->append(reinterpret_cast<const char*>(map->record(slot)), 8);
        });
        ASSERT_EQ(snapshot.num_entries(), static_cast<int64_t>(model.size()));
      }
      if (step % 20 == 14) {  // restore into a new map, in two parts: many keys at a time, and one by one
        auto restored = std::make_unique<KeyedMap>(types, 8);
        const auto take = [&](uint32_t slot, const StateEntry& entry) {
          ASSERT_EQ(KeyGroupOf(restored->hash(slot)), entry.key_group);
          ASSERT_TRUE(restored->persisted(slot));
          std::copy(entry.value.begin(), entry.value.end(), restored->record(slot));
        };
        const auto half = KeyGroupRange::Of(0, 2);
        restored->Restore(*older.Reader(half), "t", take);
        // An older one first, and then what came since.
        restored->RestoreChanges(*ChangesBetween(older, snapshot, half), "t", take, [&](uint32_t slot) {
          ASSERT_TRUE(restored->live(slot));
          ++forgotten;
        });
        older = snapshot;
        snapshot.Reader(KeyGroupRange::Of(1, 2))->ForEach("t", [&](const StateEntry& entry) {
          take(restored->Restore(entry.key), entry);
        });
        map = std::move(restored);
      }
      if (step % 25 == 24) map->Compact();
    }
    EXPECT_GT(forgotten, 0);
    std::vector<int> all;
    for (int value = 0; value < 5000; ++value) all.push_back(value);
    keys.Assign(KeysOf(types, all), 5000);
    std::vector<uint32_t> slots(5000);
    map->Find(keys, nullptr, 5000, slots.data());
    for (const int value : all) {
      const auto found = model.find(KeyId(value));
      ASSERT_EQ(slots[value] != kNoSlot, found != model.end());
      if (found != model.end()) {
        ASSERT_EQ(*value_at(slots[value]), found->second);
      }
    }
  }
}

TEST_P(KeyedMapTest, KeysDecodeAndExport) {
  for (const Types& types : KeyShapes()) {
    const std::vector<int> values = {1, 12, 7, 100, 8};
    const Columns columns = KeysOf(types, values);
    KeyBatch keys(types);
    keys.Assign(columns, 5);
    KeyedMap map(types, 0), other(types, 16);
    std::vector<uint32_t> slots(5), copies(5);
    map.FindOrInsert(keys, nullptr, 5, slots.data(), nullptr);
    const Columns decoded = map.DecodeKeys(slots.data(), 5);
    for (size_t i = 0; i < types.size(); ++i) EXPECT_TRUE(decoded[i]->Equals(*columns[i]));
    KeyBatch exported(types);
    map.ExportKeys(slots.data(), 5, &exported);
    other.FindOrInsert(exported, nullptr, 5, copies.data(), nullptr);
    std::vector<uint32_t> found(5);
    other.Find(keys, nullptr, 5, found.data());
    EXPECT_EQ(found, copies);
    std::string a, b;
    keys.AppendKey(1, &a);
    other.AppendKey(found[1], &b);
    EXPECT_EQ(a, b);
  }
}

TEST_P(KeyedMapTest, RowsPickFromTheBatch) {
  const Types types = {arrow::int64()};
  KeyBatch keys(types);
  keys.Assign(KeysOf(types, {5, 6, 7, 6}), 4);
  KeyedMap map(types, 8);
  const int32_t rows[] = {3, 1, 2};
  uint32_t slots[3];
  std::vector<uint32_t> inserted;
  map.FindOrInsert(keys, rows, 3, slots, &inserted);
  EXPECT_EQ(slots[0], slots[1]);
  EXPECT_EQ(inserted.size(), 2u);
}

TEST_P(KeyedMapTest, NoColumnsIsOneKey) {
  KeyBatch keys({});
  keys.Assign({}, 3);
  KeyedMap map({}, 8);
  uint32_t slots[3];
  map.FindOrInsert(keys, nullptr, 3, slots, nullptr);
  EXPECT_EQ(map.size(), 1);
  EXPECT_EQ(slots[2], slots[0]);
  EXPECT_TRUE(map.DecodeKeys(slots, 3).empty());
}

TEST_P(KeyedMapTest, KeysThatNoSnapshotHasAreNotDeleted) {
  const Types types = {arrow::int64()};
  KeyBatch keys(types);
  keys.Assign(KeysOf(types, {1, 2}), 2);
  KeyedMap map(types, 8);
  uint32_t slots[2];
  map.FindOrInsert(keys, nullptr, 2, slots, nullptr);
  map.MarkDirty(slots, 2);
  map.Remove(slots[0]);
  struct Log : StateWriter, SnapshotWriter {
    StateWriter& Table(std::string_view) override { return *this; }
    void Put(uint16_t, std::string_view, std::string_view) override { ++puts; }
    void Delete(uint16_t, std::string_view) override { ++deletes; }
    int puts = 0, deletes = 0;
  } log;
  auto no_value = [](uint32_t, std::string*) {};
  map.Snapshot(log, "t", no_value, "w");
  EXPECT_EQ(log.puts, 1);
  EXPECT_EQ(log.deletes, 0);
  DeletedKeys deleted;
  map.ClearInto(&deleted, "w");
  deleted.Write(log);
  EXPECT_EQ(log.deletes, 1);
  EXPECT_TRUE(map.empty());
  map.FindOrInsert(keys, nullptr, 2, slots, nullptr);  // usable after Clear
  EXPECT_EQ(map.size(), 2);
}

}  // namespace
}  // namespace laminar
