#include "state/state_memory.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "state/table_memory.h"

namespace laminar {
namespace {

/// `name` of /proc/self/status, bytes.
int64_t Status(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name + ":", 0) == 0) return std::stoll(line.substr(name.size() + 1)) * 1024;
  }
  return -1;
}

class StateMemoryTest : public ::testing::Test {
 protected:
  void TearDown() override { ConfigureStateMemory({}); }
};

TEST_F(StateMemoryTest, ArraysKeepTheirValuesWhileTheyGrowAndMoveToDisk) {
  ConfigureStateMemory({StateBackend::kDisk, 32 << 20, {}, {}});
  const int64_t before = GetStateMemoryUsage().disk_bytes;
  std::vector<StateArray<uint64_t>> arrays(3);
  constexpr uint64_t kValues = 1'500'000;  // 12 MB each
  for (uint64_t i = 0; i < kValues; ++i) {
    for (size_t k = 0; k < arrays.size(); ++k) arrays[k].push_back(i * 3 + k);
  }
  const StateMemoryUsage usage = GetStateMemoryUsage();
  EXPECT_GT(usage.disk_bytes, before + (20 << 20));
  EXPECT_LE(usage.ordinary_bytes, 4 << 20);  // an eighth of the limit
  arrays[1] = std::move(arrays[2]);
  arrays[1].Shrink(kValues / 2);
  for (uint64_t i = 0; i < kValues; ++i) ASSERT_EQ(arrays[0][i], i * 3);
  for (uint64_t i = 0; i < kValues / 2; ++i) ASSERT_EQ(arrays[1][i], i * 3 + 2);
  arrays.clear();
  EXPECT_EQ(GetStateMemoryUsage().ordinary_bytes, 0);
}

TEST_F(StateMemoryTest, IndexesStayInOrdinaryMemoryLongerAndZerosAreZeros) {
  ConfigureStateMemory({StateBackend::kDisk, 64 << 20, {}, {}});
  TableMemory records, index(StateUse::kIndex);
  for (const size_t bytes : {size_t{16} << 20, size_t{40} << 20, size_t{1} << 20}) {
    records.ResetZero(bytes);
    index.ResetZero(bytes);
    EXPECT_EQ(records.on_disk(), bytes > 8 << 20);
    EXPECT_EQ(index.on_disk(), bytes > 36 << 20);
    for (TableMemory* memory : {&records, &index}) {
      EXPECT_TRUE(
          std::all_of(memory->data(), memory->data() + bytes, [](uint8_t byte) { return byte == 0; }));
      std::memset(memory->data(), 0xab, bytes);  // what a piece that is used again must not show
    }
  }
}

TEST_F(StateMemoryTest, ResidentMemoryStaysBelowTheLimitWhileMuchMoreIsWrittenAndRead) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "what ThreadSanitizer notes of each byte is resident too";
#endif
  constexpr size_t kBlock = 256 << 10, kBlocks = 1200;  // 300 MB
  const int64_t limit = Status("VmRSS") + (96 << 20);
  ConfigureStateMemory({StateBackend::kDisk, limit, {}, {}});
  std::ofstream("/proc/self/clear_refs") << "5";  // VmHWM starts anew
  std::vector<MemoryBlock> blocks;
  for (size_t i = 0; i < kBlocks; ++i) {
    blocks.emplace_back(kBlock);
    std::memset(blocks.back().get(), static_cast<int>(i * 7 % 251), kBlock);
  }
  for (size_t i = 0; i < kBlocks; ++i) {
    const uint8_t* at = blocks[i * 7 % kBlocks].get();
    ReadAhead(at, kBlock);
    const auto value = static_cast<uint8_t>(i * 7 % kBlocks * 7 % 251);
    for (size_t k = 0; k < kBlock; k += 1000) ASSERT_EQ(at[k], value);
  }
  EXPECT_LT(Status("VmHWM"), limit);
  EXPECT_GT(GetStateMemoryUsage().paged_out_bytes, 0);
}

TEST_F(StateMemoryTest, FullDiskIsAnErrorAndNothingHasChanged) {
  ConfigureStateMemory({StateBackend::kDisk, 1 << 20, {}, {}});
  TableMemory memory;
  memory.Resize(8 << 20);
  std::memset(memory.data(), 3, 8 << 20);
  rlimit old;
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {10 << 20, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_THROW(memory.Resize(64 << 20), ExternalError);
  TableMemory other;
  EXPECT_THROW(other.Resize(64 << 20), ExternalError);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(memory.bytes(), size_t{8} << 20);
  EXPECT_EQ(memory.data()[(8 << 20) - 1], 3);
  memory.Resize(64 << 20);
  EXPECT_EQ(memory.data()[(8 << 20) - 1], 3);
}

TEST_F(StateMemoryTest, DirectoriesThatCannotHoldScratchFilesAreRefused) {
  const auto message = [](const std::string& directory) -> std::string {
    try {
      ConfigureStateMemory({StateBackend::kDisk, 0, directory, {}});
    } catch (const ExternalError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(
      message("/nowhere"),
      "state: cannot keep state in '/nowhere': No such file or directory; SET state_directory to a directory "
      "that can be written");
  if (std::filesystem::exists("/dev/shm")) {
    EXPECT_NE(message("/dev/shm").find("'/dev/shm' lies in memory"), std::string::npos)
        << message("/dev/shm");
    ConfigureStateMemory({StateBackend::kDisk, 0, {}, "/dev/shm"});  // only preferred: passed over
  }
}

}  // namespace
}  // namespace laminar
