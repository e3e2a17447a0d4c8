#include "state/keyed_log.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "support/state_backends.h"
#include "support/test_keys.h"

namespace laminar {
namespace {

class KeyedLogTest : public OnBothBackends {};
INSTANTIATE_TEST_SUITE_P(Backends, KeyedLogTest, BothBackends(), BackendName);

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

TEST_P(KeyedLogTest, FollowsAModelThroughEverything) {
  const Types types = {arrow::int64()};
  std::mt19937_64 rng(9);
  auto log = std::make_unique<KeyedLog>(types, KeyedLogOptions{.expires = true});
  std::map<int, std::vector<ModelRow>> model;
  MemorySnapshot snapshot, older;
  int64_t older_sequence = 0;  // behind the rows of that one
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
      auto equal =
          std::find_if(rows.begin(), rows.end(), [&](const ModelRow& row) { return row.bytes == bytes; });
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
      const int64_t count =
          log->ExpireBefore(expired_to, [&](const LogRow& row) { seen.push_back({row.time, row.sequence}); });
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
      log->Snapshot(*writer, "t");
      ASSERT_EQ(snapshot.num_entries(), log->size());
    }
    if (step % 33 == 16) {
      log = std::make_unique<KeyedLog>(types, KeyedLogOptions{.expires = true});
      log->Restore(*older.Reader({}), "t");
      log->RestoreChanges(*ChangesBetween(older, snapshot, {}), "t");
      sequence = 0;
      for (const auto& [key, rows] : model) {
        for (const ModelRow& row : rows) sequence = std::max(sequence, row.sequence + 1);
      }
      const int64_t next = sequence;
      sequence = std::max(sequence, older_sequence);
      older = snapshot;
      older_sequence = next;
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

TEST_P(KeyedLogTest, MemoryFollowsLiveRows) {
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

TEST_P(KeyedLogTest, ScatteredRemovalsAreCompacted) {
  const Types types = {arrow::int64()};
  KeyedLog log(types);
  KeyBatch keys(types);
  keys.Assign(KeysOf(types, {1, 2}), 2);
  uint32_t slots[2];
  log.FindOrInsertKeys(keys, nullptr, 2, slots);
  std::vector<LogRow*> rows;
  for (int i = 0; i < 50'000; ++i)
    rows.push_back(log.Append(slots[i % 2], 0, 1, std::to_string(i) + std::string(100, 'y')));
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

TEST_P(KeyedLogTest, ExtremeTimes) {
  const Types types = {arrow::int64()};
  KeyedLog log(types, {.expires = true});
  KeyBatch keys(types);
  keys.Assign(KeysOf(types, {1}), 1);
  uint32_t slot;
  log.FindOrInsertKeys(keys, nullptr, 1, &slot);
  for (const int64_t time : {INT64_MIN, int64_t{-1}, int64_t{0}, INT64_MAX - 1, INT64_MAX})
    log.Append(slot, time, 1, "");
  EXPECT_EQ(log.ExpireBefore(INT64_MIN, nullptr), 0);
  EXPECT_EQ(log.ExpireBefore(0, nullptr), 2);
  EXPECT_EQ(log.ExpireBefore(1, nullptr), 1);
  EXPECT_EQ(log.ExpireBefore(INT64_MAX, nullptr), 1);
  EXPECT_EQ(log.size(), 1);
}

}  // namespace
}  // namespace laminar
