// KeyedMap with its memory in scratch files (docs/state-on-disk.md).

#include <arrow/api.h>

#include "state/keyed_map.h"
#include "state_workload.h"

int main(int count, char** words) {
  using namespace laminar;
  const state_bench::Arguments arguments = state_bench::ParseArguments(count, words);
  ConfigureStateMemory({StateBackend::kDisk, arguments.limit_mb << 20, arguments.directory, {}});
  KeyedMap map({arrow::int64()}, state_bench::kRecordBytes);
  KeyBatch batch({arrow::int64()});
  std::vector<uint32_t> slots(state_bench::kBatchRows);
  state_bench::Run(arguments, [&](const std::vector<int64_t>& keys) {
    const auto rows = static_cast<int64_t>(keys.size());
    batch.Assign({std::make_shared<arrow::Int64Array>(rows, arrow::Buffer::Wrap(keys))}, rows);
    map.FindOrInsert(batch, nullptr, rows, slots.data(), nullptr);
    for (size_t i = 0; i < keys.size(); ++i) {
      char* record = reinterpret_cast<char*>(map.record(slots[i]));
      int64_t times;
      std::memcpy(&times, record, sizeof times);
      if (times == 0) state_bench::MakeRecord(static_cast<uint64_t>(keys[i]), record);
      ++times;
      std::memcpy(record, &times, sizeof times);
    }
  });
  std::printf("%lld keys, %lld MB of state\n", static_cast<long long>(map.size()),
              static_cast<long long>(map.memory_bytes() >> 20));
}
