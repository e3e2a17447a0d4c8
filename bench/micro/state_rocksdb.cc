// The same on RocksDB, for comparison: bloom filters, a block cache of 300 MB, MultiGet of sorted keys,
// WriteBatch, no log.

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <cstdlib>
#include <memory>

#include "state_workload.h"

namespace {

void Check(const rocksdb::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  std::exit(1);
}

rocksdb::Options MakeOptions() {
  rocksdb::BlockBasedTableOptions table;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.block_cache = rocksdb::NewLRUCache(300 << 20);
  table.cache_index_and_filter_blocks = table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.partition_filters = table.optimize_filters_for_memory = true;
  table.index_type = rocksdb::BlockBasedTableOptions::kTwoLevelIndexSearch;
  rocksdb::Options options;
  options.create_if_missing = true;
  options.compression = rocksdb::kLZ4Compression;
  options.write_buffer_size = 64 << 20;
  options.max_write_buffer_number = 3;
  options.level_compaction_dynamic_level_bytes = true;
  options.IncreaseParallelism(2);
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

std::string KeyBytes(int64_t key) {
  const uint64_t big_endian = __builtin_bswap64(static_cast<uint64_t>(key));
  return {reinterpret_cast<const char*>(&big_endian), 8};
}

/// Adds 1 to each key's count.
void Change(rocksdb::DB* db, std::vector<int64_t> keys) {
  std::sort(keys.begin(), keys.end());
  std::vector<std::string> bytes;
  std::vector<int64_t> distinct, times;
  for (const int64_t key : keys) {
    if (!distinct.empty() && distinct.back() == key) {
      ++times.back();
      continue;
    }
    distinct.push_back(key);
    times.push_back(1);
    bytes.push_back(KeyBytes(key));
  }
  const std::vector<rocksdb::Slice> slices(bytes.begin(), bytes.end());
  std::vector<rocksdb::PinnableSlice> values(slices.size());
  std::vector<rocksdb::Status> found(slices.size());
  rocksdb::ReadOptions read;
  read.async_io = true;
  db->MultiGet(read, db->DefaultColumnFamily(), slices.size(), slices.data(), values.data(), found.data(),
               true);
  rocksdb::WriteBatch batch;
  char record[state_bench::kRecordBytes];
  for (size_t i = 0; i < slices.size(); ++i) {
    if (found[i].IsNotFound()) {
      state_bench::MakeRecord(static_cast<uint64_t>(distinct[i]), record);
    } else {
      Check(found[i]);
      std::memcpy(record, values[i].data(), sizeof record);
    }
    int64_t count;
    std::memcpy(&count, record, sizeof count);
    count += times[i];
    std::memcpy(record, &count, sizeof count);
    Check(batch.Put(slices[i], {record, sizeof record}));
  }
  rocksdb::WriteOptions write;
  write.disableWAL = true;
  Check(db->Write(write, &batch));
}

}  // namespace

int main(int count, char** words) {
  const state_bench::Arguments arguments = state_bench::ParseArguments(count, words);
  const std::string path = arguments.directory + "/bench_rocksdb";
  Check(rocksdb::DestroyDB(path, {}));
  rocksdb::DB* opened = nullptr;
  Check(rocksdb::DB::Open(MakeOptions(), path, &opened));
  std::unique_ptr<rocksdb::DB> db(opened);
  state_bench::Run(arguments, [&](const std::vector<int64_t>& keys) { Change(db.get(), keys); });
  Check(db->Close());
  db.reset();
  Check(rocksdb::DestroyDB(path, {}));
}
