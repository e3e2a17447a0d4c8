#include "storage/local_store.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <random>

#include "base/local_file.h"

namespace laminar {
namespace {

namespace fs = std::filesystem;

/// On the disk, which takes writes past the page cache, and in memory, which may not.
class LocalStoreTest : public testing::TestWithParam<std::string> {
 protected:
  LocalStoreTest() {
    std::string pattern = GetParam() + "/laminar-local-store-XXXXXX";
    directory_ = mkdtemp(pattern.data());
  }
  ~LocalStoreTest() override { fs::remove_all(directory_); }

  std::string directory_;
};

TEST_P(LocalStoreTest, ObjectsOfAnySizeWrittenInAnyPiecesReadBackTheSame) {
  const auto store = OpenLocalStore(directory_, true);
  std::mt19937_64 random(3);
  constexpr int kBuffer = 512 << 10;
  for (const int size : {0, 1, 4095, 4096, 4097, kBuffer - 1, kBuffer, kBuffer + 1, kBuffer + 4096,
                         3 * kBuffer, 3 * kBuffer + 5000}) {
    std::string content(static_cast<size_t>(size), '\0');
    for (char& c : content) c = static_cast<char>(random());
    for (const size_t piece_max : {100'000UL, 2'000'000UL}) {
      auto writer = store->Create("object");
      for (size_t at = 0; at < content.size();) {
        const size_t piece = std::min(content.size() - at, random() % piece_max + 1);
        writer->Write(std::string_view(content).substr(at, piece));
        at += piece;
      }
      writer->Commit();
      ASSERT_EQ(store->Size("object"), size);
      EXPECT_TRUE(store->Read("object", 0, size) == content) << size;
    }
  }
}

TEST_P(LocalStoreTest, WhatWasNotCommittedLeavesWhatWasThereAndNoFile) {
  const auto store = OpenLocalStore(directory_, true);
  store->Put("object", "old");
  store->Create("object")->Write(std::string(2'000'000, 'x'));
  EXPECT_EQ(store->Read("object", 0, 3), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_), {}), 1);
}

TEST_P(LocalStoreTest, WritesThatTheFileSystemRefusesPastItsCacheGoThroughIt) {
  const std::string data(10'001, 'x');  // no whole page
  LocalFile file = LocalFile::Create(directory_ + "/file");
  file.SetCached(false);
  file.Write(data);
  file.Write("end");
  file.Sync();
  file.Close();
  std::string read(20'000, '\0');
  read.resize(static_cast<size_t>(LocalFile::OpenRead(directory_ + "/file").ReadAt(0, read.data(), 20'000)));
  EXPECT_TRUE(read == data + "end") << read.size();
}

INSTANTIATE_TEST_SUITE_P(Places, LocalStoreTest,
                         testing::Values(fs::temp_directory_path().string(), "/dev/shm"));

}  // namespace
}  // namespace laminar
