#include "state/ordered_rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>

#include "support/state_backends.h"
#include "support/test_keys.h"

namespace laminar {
namespace {

class OrderedRowsTest : public OnBothBackends {};
INSTANTIATE_TEST_SUITE_P(Backends, OrderedRowsTest, BothBackends(), BackendName);

TEST_P(OrderedRowsTest, FollowsAModelThroughEverything) {
  const Types types = {arrow::utf8()};
  std::mt19937_64 rng(21);
  auto store = std::make_unique<OrderedRows>(types);
  struct Row {
    std::string sort;
    int64_t sequence;
    std::string bytes;
    int64_t tag;
    bool operator<(const Row& other) const {
      return std::tie(sort, sequence) < std::tie(other.sort, other.sequence);
    }
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
        const auto equal = std::find_if(
            rows.begin(), rows.end(), [&](const Row& row) { return row.sort == sort && row.bytes == bytes; });
        ASSERT_EQ(position, equal == rows.end() ? -1 : equal - rows.begin());
        if (position >= 0) {
          store->Remove(slots[i], position);
          rows.erase(equal);
        }
      } else if (choice == 1 && step % 10 == 0) {
        const int64_t begin = store->LowerBound(slots[i], sort);
        const int64_t count =
            std::min<int64_t>(static_cast<int64_t>(rng() % 600), store->row_count(slots[i]) - begin);
        const int64_t end = store->LowerBound(slots[i], sort, true);
        ASSERT_EQ(begin, std::lower_bound(rows.begin(), rows.end(), Row{sort, -1, "", 0}) - rows.begin());
        ASSERT_EQ(end,
                  std::upper_bound(rows.begin(), rows.end(), Row{sort, INT64_MAX, "", 0}) - rows.begin());
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
      store->Snapshot(*writer, "t");
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

}  // namespace
}  // namespace laminar
