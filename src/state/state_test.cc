#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "base/arrow_result.h"
#include "state/keyed_log.h"
#include "state/keyed_map.h"
#include "state/ordered_rows.h"
#include "support/batch_text.h"

namespace laminar {
namespace {

using Columns = std::vector<std::shared_ptr<arrow::Array>>;
using Types = std::vector<std::shared_ptr<arrow::DataType>>;

/// Key columns of rows with values 0..n−1, NULL for a multiple of 13.
Columns KeysOf(const Types& types, const std::vector<int>& values) {
  Columns columns;
  for (const auto& type : types) {
    auto builder = OrThrow(arrow::MakeBuilder(type));
    OrThrow(builder->AppendNull());  // the slice below leaves this out
    for (const int value : values) {
      if (value % 13 == 12) {
        OrThrow(builder->AppendNull());
      } else if (type->id() == arrow::Type::STRING) {
        const std::string text = (value % 2 ? "a long key that is not kept in place " : "k") + std::to_string(value);
        OrThrow(static_cast<arrow::StringBuilder*>(builder.get())->Append(text));
      } else {
        OrThrow(builder->AppendScalar(*OrThrow(arrow::MakeScalar(int64_t{value})->CastTo(type))));
      }
    }
    columns.push_back(OrThrow(builder->Finish())->Slice(1));
  }
  return columns;
}

const std::vector<Types>& KeyShapes() {
  static const std::vector<Types> shapes = {{arrow::int64()},
                                            {arrow::int32()},
                                            {arrow::int64(), arrow::int64()},
                                            {arrow::int16(), arrow::int64()},
                                            {arrow::utf8()},
                                            {arrow::int64(), arrow::utf8()},
                                            {arrow::int64(), arrow::int64(), arrow::float64()}};
  return shapes;
}

/// What the canonical key of a value is a stand-in for in the models below. NULLs are all one key.
int KeyId(int value) { return value % 13 == 12 ? -1 : value; }

TEST(KeyedMapTest, FollowsAModelThroughInsertRemoveSnapshotRestore) {
  for (const Types& types : KeyShapes()) {
    std::mt19937_64 rng(3);
    auto map = std::make_unique<KeyedMap>(types, 8);
    std::map<int, int64_t> model;
    MemorySnapshot snapshot;
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
          *value_at(slots[i]) += values[i] + 1;
          map->MarkDirty(slots[i]);
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
        map->Snapshot(writer->Table("t"), [&](uint32_t slot, std::string* out) {
          out->append(reinterpret_cast<const char*>(map->record(slot)), 8);
        });
        ASSERT_EQ(snapshot.num_entries(), static_cast<int64_t>(model.size()));
      }
      if (step % 20 == 14) {  // restore into a new map, in two parts
        auto restored = std::make_unique<KeyedMap>(types, 8);
        for (int part = 0; part < 2; ++part) {
          snapshot.Reader(KeyGroupRange::Of(part, 2))->ForEach("t", [&](const StateEntry& entry) {
            const uint32_t slot = restored->Restore(entry.key);
            ASSERT_EQ(KeyGroupOf(restored->hash(slot)), entry.key_group);
            std::copy(entry.value.begin(), entry.value.end(), restored->record(slot));
          });
        }
        map = std::move(restored);
      }
      if (step % 25 == 24) map->Compact();
    }
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

TEST(KeyedMapTest, KeysDecodeAndExport) {
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

TEST(KeyedMapTest, RowsPickFromTheBatch) {
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

TEST(KeyedMapTest, NoColumnsIsOneKey) {
  KeyBatch keys({});
  keys.Assign({}, 3);
  KeyedMap map({}, 8);
  uint32_t slots[3];
  map.FindOrInsert(keys, nullptr, 3, slots, nullptr);
  EXPECT_EQ(map.size(), 1);
  EXPECT_EQ(slots[2], slots[0]);
  EXPECT_TRUE(map.DecodeKeys(slots, 3).empty());
}

TEST(KeyedMapTest, KeysThatNoSnapshotHasAreNotDeleted) {
  const Types types = {arrow::int64()};
  KeyBatch keys(types);
  keys.Assign(KeysOf(types, {1, 2}), 2);
  KeyedMap map(types, 8);
  uint32_t slots[2];
  map.FindOrInsert(keys, nullptr, 2, slots, nullptr);
  map.MarkDirty(slots, 2);
  map.Remove(slots[0]);
  struct Log : StateWriter {
    void Put(uint16_t, std::string_view, std::string_view) override { ++puts; }
    void Delete(uint16_t, std::string_view) override { ++deletes; }
    int puts = 0, deletes = 0;
  } log;
  auto no_value = [](uint32_t, std::string*) {};
  map.Snapshot(log, no_value, "w");
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

// Keyed log

struct ModelRow {
  int64_t sequence, time;
  int weight;
  std::string bytes;
};

std::vector<ModelRow> RowsOf(const KeyedLog& log, uint32_t slot) {
  std::vector<ModelRow> rows;
  const LogRow* previous = nullptr;
  for (const LogRow* row = log.first(slot); row; row = row->next) {
    EXPECT_EQ(row->previous, previous);
    previous = row;
    rows.push_back({row->sequence, row->time, row->weight, std::string(row->bytes())});
  }
  EXPECT_EQ(log.last(slot), previous);
  EXPECT_EQ(static_cast<int64_t>(rows.size()), log.row_count(slot));
  return rows;
}

TEST(KeyedLogTest, FollowsAModelThroughEverything) {
  const Types types = {arrow::int64()};
  std::mt19937_64 rng(9);
  auto log = std::make_unique<KeyedLog>(types, KeyedLogOptions{.expires = true});
  std::map<int, std::vector<ModelRow>> model;
  MemorySnapshot snapshot;
  KeyBatch keys(types);
  int64_t expired_to = 0;
  int64_t sequence = 0;
  for (int step = 0; step < 400; ++step) {
    std::vector<int> values;
    // Some keys have hundreds of rows: those are found by an index.
    for (uint64_t n = rng() % 60; n > 0; --n) values.push_back(static_cast<int>(rng() % 3 ? rng() % 50 : 7));
    keys.Assign(KeysOf(types, values), static_cast<int64_t>(values.size()));
    std::vector<uint32_t> slots(values.size());
    log->FindOrInsertKeys(keys, nullptr, keys.size(), slots.data());
    for (size_t i = 0; i < values.size(); ++i) {
      auto& rows = model[KeyId(values[i])];
      const std::string bytes(rng() % 3000 == 0 ? 300'000 : rng() % 200, static_cast<char>('a' + rng() % 2));
      const int64_t time = expired_to + static_cast<int64_t>(rng() % 9'000'000);
      const int choice = static_cast<int>(rng() % 5);
      auto equal = std::find_if(rows.begin(), rows.end(), [&](const ModelRow& row) { return row.bytes == bytes; });
      if (choice == 0) {
        LogRow* row = log->FindEqual(slots[i], bytes);
        ASSERT_EQ(row != nullptr, equal != rows.end());
        if (row) log->Remove(row);
        if (row) rows.erase(equal);
      } else if (choice == 1) {
        LogRow* row = log->AddWeight(slots[i], time, -1, bytes);
        if (equal == rows.end()) {
          rows.push_back({sequence++, time, -1, bytes});
        } else if (--equal->weight == 0) {
          ASSERT_EQ(row, nullptr);
          rows.erase(equal);
        }
      } else if (choice == 2 && log->first(slots[i])) {
        log->SetTime(log->first(slots[i]), time);
        rows.front().time = time;
      } else {
        log->Append(slots[i], time, 1, bytes);
        rows.push_back({sequence++, time, 1, bytes});
      }
    }
    if (step % 7 == 3) {
      expired_to += static_cast<int64_t>(rng() % 3'000'000);
      std::vector<std::pair<int64_t, int64_t>> seen;
      const int64_t count = log->ExpireBefore(expired_to, [&](const LogRow& row) { seen.push_back({row.time, row.sequence}); });
      EXPECT_EQ(count, static_cast<int64_t>(seen.size()));
      EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
      std::vector<std::pair<int64_t, int64_t>> expected;
      for (auto& [key, rows] : model) {
        for (const ModelRow& row : rows) {
          if (row.time < expired_to) expected.push_back({row.time, row.sequence});
        }
        std::erase_if(rows, [&](const ModelRow& row) { return row.time < expired_to; });
      }
      std::sort(expected.begin(), expected.end());
      ASSERT_EQ(seen, expected);
    }
    if (step % 5 == 1) log->Maintain();
    if (step % 11 == 5) {
      auto writer = snapshot.Writer();
      log->Snapshot(writer->Table("t"));
      ASSERT_EQ(snapshot.num_entries(), log->size());
    }
    if (step % 33 == 16) {
      log = std::make_unique<KeyedLog>(types, KeyedLogOptions{.expires = true});
      log->Restore(*snapshot.Reader({}), "t");
      sequence = 0;
      for (const auto& [key, rows] : model) {
        for (const ModelRow& row : rows) sequence = std::max(sequence, row.sequence + 1);
      }
    }
    int64_t total = 0;
    for (const auto& [key, rows] : model) total += static_cast<int64_t>(rows.size());
    ASSERT_EQ(log->size(), total);
    std::vector<int> all;
    for (int value = 0; value < 50; ++value) all.push_back(value);
    keys.Assign(KeysOf(types, all), 50);
    slots.resize(50);
    log->FindKeys(keys, nullptr, 50, slots.data());
    for (const int value : all) {
      const auto& expected = model[KeyId(value)];
      const auto rows = RowsOf(*log, slots[value]);
      ASSERT_EQ(rows.size(), expected.size());
      for (size_t i = 0; i < rows.size(); ++i) {
        ASSERT_EQ(rows[i].sequence, expected[i].sequence);
        ASSERT_EQ(rows[i].time, expected[i].time);
        ASSERT_EQ(rows[i].weight, expected[i].weight);
        ASSERT_EQ(rows[i].bytes, expected[i].bytes);
      }
    }
  }
}

TEST(KeyedLogTest, MemoryFollowsLiveRows) {
  const Types types = {arrow::int64()};
  KeyedLog log(types, {.expires = true});
  KeyBatch keys(types);
  keys.Assign(KeysOf(types, {1}), 1);
  uint32_t slot;
  const std::string bytes(100, 'x');
  for (int64_t i = 0; i < 100'000; ++i) {
    log.FindOrInsertKeys(keys, nullptr, 1, &slot);
    log.Append(slot, i * 1000, 1, bytes);
    if (i % 100 == 0) log.ExpireBefore(i * 1000 - 1'000'000, nullptr);
  }
  EXPECT_LT(log.memory_bytes(), 3 << 20);
  EXPECT_EQ(log.ExpireBefore(INT64_MAX, nullptr), 1100);
  EXPECT_FALSE(log.min_time());
  EXPECT_LT(log.memory_bytes(), 512 << 10);
  EXPECT_EQ(log.keys().size(), 0);
}

TEST(KeyedLogTest, ScatteredRemovalsAreCompacted) {
  const Types types = {arrow::int64()};
  KeyedLog log(types);
  KeyBatch keys(types);
  keys.Assign(KeysOf(types, {1, 2}), 2);
  uint32_t slots[2];
  log.FindOrInsertKeys(keys, nullptr, 2, slots);
  std::vector<LogRow*> rows;
  for (int i = 0; i < 50'000; ++i) rows.push_back(log.Append(slots[i % 2], 0, 1, std::to_string(i) + std::string(100, 'y')));
  for (int i = 0; i < 50'000; ++i) {
    if (i % 10 != 0) log.Remove(rows[i]);
  }
  const int64_t before = log.memory_bytes();
  log.Maintain();
  EXPECT_LT(log.memory_bytes(), before / 4);
  log.FindKeys(keys, nullptr, 2, slots);
  EXPECT_EQ(log.row_count(slots[0]), 5000);
  int expected = 0;
  for (const LogRow* row = log.first(slots[0]); row; row = row->next, expected += 10) {
    EXPECT_EQ(row->bytes().substr(0, row->bytes().find('y')), std::to_string(expected));
  }
}

TEST(KeyedLogTest, ExtremeTimes) {
  const Types types = {arrow::int64()};
  KeyedLog log(types, {.expires = true});
  KeyBatch keys(types);
  keys.Assign(KeysOf(types, {1}), 1);
  uint32_t slot;
  log.FindOrInsertKeys(keys, nullptr, 1, &slot);
  for (const int64_t time : {INT64_MIN, int64_t{-1}, int64_t{0}, INT64_MAX - 1, INT64_MAX}) log.Append(slot, time, 1, "");
  EXPECT_EQ(log.ExpireBefore(INT64_MIN, nullptr), 0);
  EXPECT_EQ(log.ExpireBefore(0, nullptr), 2);
  EXPECT_EQ(log.ExpireBefore(1, nullptr), 1);
  EXPECT_EQ(log.ExpireBefore(INT64_MAX, nullptr), 1);
  EXPECT_EQ(log.size(), 1);
}

// Ordered rows

TEST(OrderedRowsTest, FollowsAModelThroughEverything) {
  const Types types = {arrow::utf8()};
  std::mt19937_64 rng(21);
  auto store = std::make_unique<OrderedRows>(types);
  struct Row {
    std::string sort;
    int64_t sequence;
    std::string bytes;
    int64_t tag;
    bool operator<(const Row& other) const { return std::tie(sort, sequence) < std::tie(other.sort, other.sequence); }
  };
  std::map<int, std::vector<Row>> model;
  MemorySnapshot snapshot;
  KeyBatch keys(types);
  int64_t sequence = 0;
  for (int step = 0; step < 300; ++step) {
    std::vector<int> values;
    for (uint64_t n = rng() % 100; n > 0; --n) values.push_back(static_cast<int>(rng() % 4 ? 3 : rng() % 20));
    keys.Assign(KeysOf(types, values), static_cast<int64_t>(values.size()));
    std::vector<uint32_t> slots(values.size());
    store->FindOrInsertKeys(keys, nullptr, keys.size(), slots.data());
    for (size_t i = 0; i < values.size(); ++i) {
      auto& rows = model[KeyId(values[i])];
      const std::string sort = std::to_string(rng() % 40), bytes(rng() % 3, 'b');
      const uint64_t choice = rng() % 8;
      if (choice == 0) {
        const int64_t position = store->Find(slots[i], sort, bytes);
        const auto equal = std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row.sort == sort && row.bytes == bytes; });
        ASSERT_EQ(position, equal == rows.end() ? -1 : equal - rows.begin());
        if (position >= 0) {
          store->Remove(slots[i], position);
          rows.erase(equal);
        }
      } else if (choice == 1 && step % 10 == 0) {
        const int64_t begin = store->LowerBound(slots[i], sort);
        const int64_t count = std::min<int64_t>(static_cast<int64_t>(rng() % 600), store->row_count(slots[i]) - begin);
        const int64_t end = store->LowerBound(slots[i], sort, true);
        ASSERT_EQ(begin, std::lower_bound(rows.begin(), rows.end(), Row{sort, -1, "", 0}) - rows.begin());
        ASSERT_EQ(end, std::upper_bound(rows.begin(), rows.end(), Row{sort, INT64_MAX, "", 0}) - rows.begin());
        store->Remove(slots[i], begin, count);
        rows.erase(rows.begin() + begin, rows.begin() + begin + count);
      } else {
        const int64_t tag = static_cast<int64_t>(rng() % 100);
        int64_t position;
        OrderedRow* row = store->Insert(slots[i], sort, bytes, tag, &position);
        store->SetTag(row, tag + 1);
        const Row fresh{sort, sequence++, bytes, tag + 1};
        const auto place = std::upper_bound(rows.begin(), rows.end(), fresh);
        ASSERT_EQ(position, place - rows.begin());
        rows.insert(place, fresh);
      }
    }
    if (step % 5 == 1) store->Maintain();
    if (step % 9 == 5) {
      auto writer = snapshot.Writer();
      store->Snapshot(writer->Table("t"));
      ASSERT_EQ(snapshot.num_entries(), store->size());
    }
    if (step % 27 == 14) {
      store = std::make_unique<OrderedRows>(types);
      store->Restore(*snapshot.Reader({}), "t");
      sequence = 0;
      for (const auto& [key, rows] : model) {
        for (const Row& row : rows) sequence = std::max(sequence, row.sequence + 1);
      }
    }
    std::vector<int> all;
    for (int value = 0; value < 20; ++value) all.push_back(value);
    keys.Assign(KeysOf(types, all), 20);
    slots.resize(20);
    store->FindKeys(keys, nullptr, 20, slots.data());
    for (const int value : all) {
      const auto& expected = model[KeyId(value)];
      std::vector<OrderedRow*> rows;
      store->Collect(slots[value], 0, 1'000'000, &rows);
      ASSERT_EQ(rows.size(), expected.size());
      ASSERT_EQ(store->row_count(slots[value]), static_cast<int64_t>(expected.size()));
      for (size_t i = 0; i < rows.size(); ++i) {
        ASSERT_EQ(rows[i]->sort_bytes(), expected[i].sort);
        ASSERT_EQ(rows[i]->sequence, expected[i].sequence);
        ASSERT_EQ(rows[i]->bytes(), expected[i].bytes);
        ASSERT_EQ(rows[i]->tag, expected[i].tag);
      }
      if (!rows.empty()) {
        const int64_t middle = static_cast<int64_t>(rng() % rows.size());
        ASSERT_EQ(store->at(slots[value], middle), rows[middle]);
        std::vector<OrderedRow*> part;
        store->Collect(slots[value], middle, 7, &part);
        ASSERT_EQ(part.size(), std::min<size_t>(7, rows.size() - middle));
        ASSERT_EQ(part[0], rows[middle]);
      }
    }
  }
}

TEST(KeyGroupTest, RangesTileAllGroups) {
  for (int parallelism : {1, 2, 3, 7, 1024}) {
    int next = 0;
    for (int subtask = 0; subtask < parallelism; ++subtask) {
      const KeyGroupRange range = KeyGroupRange::Of(subtask, parallelism);
      EXPECT_EQ(range.begin, next);
      next = range.end;
      for (int group = range.begin; group < range.end; ++group) {
        EXPECT_EQ(SubtaskOf(static_cast<uint16_t>(group), parallelism), subtask);
      }
    }
    EXPECT_EQ(next, kKeyGroups);
  }
}

}  // namespace
}  // namespace laminar
