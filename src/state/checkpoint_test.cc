#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <random>

#include "base/error.h"
#include "state/checkpoint_store.h"
#include "state/checkpoint_writer.h"
#include "state/state_file.h"
#include "support/state_backends.h"

namespace laminar {
namespace {

namespace fs = std::filesystem;

/// A directory of its own, removed at the end.
class CheckpointTest : public OnBothBackends {
 protected:
  CheckpointTest() {
    std::string pattern = (fs::temp_directory_path() / "laminar-checkpoint-XXXXXX").string();
    directory_ = mkdtemp(pattern.data());
    objects_ = OpenObjectStore(directory_, {});
    store_ = std::make_shared<CheckpointStore>(objects_);
  }
  ~CheckpointTest() override { fs::remove_all(directory_); }

  Checkpoint Sealed(uint64_t epoch, const std::string& run) {
    Checkpoint base;
    base.manifest.epoch = epoch;
    base.manifest.kind = CheckpointKind::kSeal;
    base.manifest.run = run;
    base.manifest.operators = {{"op", "an operator", 1, {{{"t", 1, "TEXT -> TEXT"}, 0, 0}}}};
    EXPECT_TRUE(store_->Seal(base.manifest));
    return base;
  }
  std::map<std::string, std::string> Read(std::optional<uint64_t> epoch, KeyGroupRange range = {}) {
    const auto checkpoint = store_->Load(epoch, nullptr);
    std::map<std::string, std::string> all;
    ReadTable(*objects_, *checkpoint, "op", "t", range, [&](const StateEntry& entry) {
      EXPECT_TRUE(all.emplace(entry.key, entry.value).second) << entry.key << " twice";
    });
    return all;
  }
  int CountFiles(const std::string& folder) {
    int count = 0;
    for (const auto& entry : fs::directory_iterator(directory_ + "/" + folder))
      count += entry.is_regular_file();
    return count;
  }
  void FlipByte(const std::string& path, int64_t at) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(at);
    const int byte = file.get();
    file.seekp(at);
    file.put(static_cast<char>(byte ^ 0x20));
  }

  std::string directory_;
  std::shared_ptr<ObjectStore> objects_;
  std::shared_ptr<CheckpointStore> store_;
  ManualClock clock_;
};

INSTANTIATE_TEST_SUITE_P(Backends, CheckpointTest, BothBackends(), BackendName);

TEST_P(CheckpointTest, ChainOfRandomChangesEqualsAMapAfterEachCheckpointAndMerge) {
  std::mt19937_64 random(7);
  CheckpointWriter writer(store_, Sealed(1, "a"), &clock_, {.keep = 3});
  std::map<std::string, std::string> expected;
  for (uint64_t epoch = 2; epoch < 60; ++epoch) {
    auto buffer = writer.NewBuffer("op");
    StateWriter& table = buffer->Table("t");
    const int changes = static_cast<int>(random() % 200);
    for (int i = 0; i < changes; ++i) {
      const std::string key = "key" + std::to_string(random() % 500) + std::string(random() % 20, 'x');
      const auto group = static_cast<uint16_t>(std::hash<std::string>()(key) % kKeyGroups);
      if (random() % 4 == 0) {
        table.Delete(group, key);
        expected.erase(key);
      } else {
        const std::string value(random() % 3000, static_cast<char>('a' + random() % 26));
        table.Put(group, key, value);
        expected[key] = value;
      }
    }
    writer.CloseEpoch();
    const CheckpointReport report = writer.Write(epoch, CheckpointKind::kScheduled);
    EXPECT_EQ(report.epoch, epoch);
    EXPECT_EQ(Read(std::nullopt), expected);
    while (writer.Merge()) {
    }
    EXPECT_LE(report.num_files, 20);
    EXPECT_EQ(CountFiles("manifests"), static_cast<int>(std::min<uint64_t>(3, epoch)));
    EXPECT_EQ(VerifyCheckpoint(*store_, epoch), std::vector<std::string>{});
  }
}

TEST_P(CheckpointTest, RangesOfKeyGroupsAddUpAndEverySubtaskEntriesGoToAll) {
  CheckpointWriter writer(store_, Sealed(1, "a"), &clock_, {});
  auto buffer = writer.NewBuffer("op");
  for (int group = 0; group < kKeyGroups; ++group) {
    buffer->Table("t").Put(static_cast<uint16_t>(group), std::to_string(group), std::string(2000, 'v'));
  }
  buffer->Table("t").Put(kEverySubtask, "split", "12");
  writer.CloseEpoch();
  writer.Write(2, CheckpointKind::kScheduled);
  for (const int parallelism : {1, 3, 7, 128}) {
    size_t sum = 0;
    for (int subtask = 0; subtask < parallelism; ++subtask) {
      const auto part = Read(2, KeyGroupRange::Of(subtask, parallelism));
      EXPECT_EQ(part.count("split"), 1u);
      sum += part.size() - 1;
    }
    EXPECT_EQ(sum, static_cast<size_t>(kKeyGroups));
  }
}

TEST_P(CheckpointTest, LargeDeltaIsSortedInRunsAndTheLastChangeOfAKeyWins) {
  std::mt19937_64 random(3);
  CheckpointWriter writer(store_, Sealed(1, "a"), &clock_, {});
  std::map<std::string, std::string> expected;
  auto buffer = writer.NewBuffer("op");
  StateWriter& table = buffer->Table("t");
  for (int i = 0; i < 1'100'000; ++i) {  // two runs of a million, on disk four of 32 MiB
    const std::string key = std::to_string(random() % 30'000);
    const auto group = static_cast<uint16_t>(std::hash<std::string>()(key) % kKeyGroups);
    if (random() % 5 == 0) {
      table.Delete(group, key);
      expected.erase(key);
    } else {
      const std::string value = std::to_string(i) + std::string(100, 'v');
      table.Put(group, key, value);
      expected[key] = value;
    }
  }
  buffer.reset();
  writer.CloseEpoch();
  EXPECT_LE(writer.Write(2, CheckpointKind::kScheduled).written_entries, 30'000);
  EXPECT_EQ(Read(2), expected);
}

TEST_P(CheckpointTest, EntriesAreInOrderHoweverAlikeTheirKeysAre) {
  std::mt19937_64 random(11);
  CheckpointWriter writer(store_, Sealed(1, "a"), &clock_, {});
  std::map<std::pair<uint16_t, std::string>, std::string> expected;
  auto buffer = writer.NewBuffer("op");
  const auto put = [&](uint16_t group, const std::string& key) {
    const std::string value = std::to_string(expected.size()) + "/" + std::to_string(random());
    buffer->Table("t").Put(group, key, value);
    expected[{group, key}] = value;
  };
  // As many as a sample of the keys has begin alike; then come others, and keys that differ late or not at
  // all.
  const std::string alike(12, 'k');
  for (int i = 0; i < 300; ++i)
    put(static_cast<uint16_t>(random() % 3), alike + std::to_string(random() % 200));
  for (int i = 0; i < 2'000; ++i) {
    const std::string key = random() % 2 ? alike : std::string(1, static_cast<char>(random() % 256));
    put(static_cast<uint16_t>(random() % 3),
        key + std::string(random() % 9, '\0') + std::to_string(random() % 9));
  }
  put(0, "");
  put(0, std::string(1, '\0'));
  put(kEverySubtask, alike);
  writer.CloseEpoch();
  EXPECT_EQ(writer.Write(2, CheckpointKind::kScheduled).written_entries,
            static_cast<int64_t>(expected.size()));
  const auto checkpoint = store_->Load(2, nullptr);
  const StateFileInfo& file = checkpoint->files.at(0);
  StateFileCursor cursor(*objects_, file, file.sections.at(0), {});
  auto wanted = expected.begin();
  for (; cursor.Next(); ++wanted) {
    ASSERT_NE(wanted, expected.end());
    EXPECT_EQ(std::pair(cursor.entry().key_group, std::string(cursor.entry().key)), wanted->first);
    EXPECT_EQ(cursor.entry().value, wanted->second);
  }
  EXPECT_EQ(wanted, expected.end());
}

TEST_P(CheckpointTest, BlocksAreCompressedWhereThatSavesHalfAndAThirdOnceMerged) {
  std::mt19937_64 random(5);
  CheckpointWriter writer(store_, Sealed(1, "a"), &clock_, {.merge_files_min = 2});
  const auto written = [&](uint64_t epoch, const std::function<char(size_t at)>& letter) {
    auto buffer = writer.NewBuffer("op");
    for (int key = 0; key < 8'000; ++key) {
      std::string value(1'000, '\0');
      for (size_t at = 0; at < value.size(); ++at) value[at] = letter(at);
      buffer->Table("t").Put(static_cast<uint16_t>(key % kKeyGroups), std::to_string(key), value);
    }
    buffer.reset();
    writer.CloseEpoch();
    return writer.Write(epoch, CheckpointKind::kScheduled);
  };
  EXPECT_LT(written(2, [](size_t) { return 'a'; }).written_bytes, 800'000);
  // The first block of 16 is tried, and kept as it came out.
  const auto less_a_third = [&](size_t) { return static_cast<char>(random() % 3 ? random() : 'a'); };
  EXPECT_GT(written(3, less_a_third).written_bytes, 7'900'000);
  const auto less_two_fifths = [&](size_t at) { return static_cast<char>(at < 600 ? random() : 'a'); };
  EXPECT_GT(written(4, less_two_fifths).written_bytes, 7'900'000);
  EXPECT_EQ(Read(4).size(), 8'000u);
  ASSERT_TRUE(writer.Merge());
  EXPECT_LT(written(5, [](size_t) { return 'a'; }).total_bytes, 6'000'000);
  EXPECT_EQ(Read(5).size(), 8'000u);
}

TEST_P(CheckpointTest, HalfAsManyFilesAreMergedWhereTheSameKeysChangeAgain) {
  CheckpointWriter writer(store_, Sealed(1, "a"), &clock_, {.merge_files_min = 6});
  uint64_t epoch = 1;
  const auto files_until_merged = [&](const std::function<std::string(uint64_t epoch)>& key) {
    for (int files = 1;; ++files) {
      writer.NewBuffer("op")->Table("t").Put(1, key(++epoch), std::string(200'000, 'v'));
      writer.CloseEpoch();
      writer.Write(epoch, CheckpointKind::kScheduled);
      if (writer.Merge()) return files;
    }
  };
  EXPECT_EQ(files_until_merged([](uint64_t) { return "same"; }), 6);
  EXPECT_EQ(files_until_merged([](uint64_t) { return "same"; }), 2);  // and the one of the merge
  EXPECT_EQ(files_until_merged([](uint64_t e) { return std::to_string(e); }), 2);
  EXPECT_GT(files_until_merged([](uint64_t e) { return std::to_string(e); }), 3);
}

TEST_P(CheckpointTest, FailedWriteIsTakenAlongByTheNext) {
  CheckpointWriter writer(store_, Sealed(1, "a"), &clock_, {});
  writer.NewBuffer("op")->Table("t").Put(1, "a", "1");
  writer.CloseEpoch();
  fs::permissions(directory_, fs::perms::owner_all);
  std::ofstream(directory_ + "/data").put('x');  // where the folder would be
  EXPECT_THROW(writer.Write(2, CheckpointKind::kScheduled), ExternalError);
  EXPECT_EQ(store_->Epochs(), std::vector<uint64_t>{1});
  fs::remove(directory_ + "/data");
  auto buffer = writer.NewBuffer("op");
  buffer->Table("t").Put(1, "b", "2");
  buffer->Table("t").Put(1, "a", "3");
  writer.CloseEpoch();
  writer.Write(2, CheckpointKind::kScheduled);
  EXPECT_EQ(Read(2), (std::map<std::string, std::string>{{"a", "3"}, {"b", "2"}}));
}

TEST_P(CheckpointTest, RunThatWasTakenOverCannotCommit) {
  CheckpointWriter old_run(store_, Sealed(1, "a"), &clock_, {});
  const auto base = store_->Load(std::nullopt, nullptr);
  Manifest seal = base->manifest;
  seal.epoch = 2;
  seal.run = "b";
  EXPECT_TRUE(store_->Seal(seal));
  EXPECT_FALSE(store_->Seal(seal));
  old_run.NewBuffer("op")->Table("t").Put(1, "a", "1");
  old_run.CloseEpoch();
  try {
    old_run.Write(2, CheckpointKind::kScheduled);
    FAIL() << "the old run committed";
  } catch (const ExternalError& error) {
    EXPECT_EQ(error.retry(), ExternalError::Retry::kNever);
    EXPECT_NE(std::string(error.what()).find("taken over"), std::string::npos);
  }
  EXPECT_TRUE(Read(std::nullopt).empty());
}

TEST_P(CheckpointTest, EveryFlippedByteOfAFileIsFound) {
  CheckpointWriter writer(store_, Sealed(1, "a"), &clock_, {});
  auto buffer = writer.NewBuffer("op");
  for (int i = 0; i < 20; ++i) buffer->Table("t").Put(1, std::to_string(i), "value");
  writer.CloseEpoch();
  writer.Write(2, CheckpointKind::kScheduled);
  for (const auto& entry : fs::directory_iterator(directory_ + "/data")) {
    const auto bytes = static_cast<int64_t>(fs::file_size(entry.path()));
    for (int64_t at = 0; at < bytes; ++at) {
      FlipByte(entry.path().string(), at);
      EXPECT_FALSE(VerifyCheckpoint(*store_, 2).empty()) << at;
      FlipByte(entry.path().string(), at);
    }
  }
  EXPECT_TRUE(VerifyCheckpoint(*store_, 2).empty());
}

TEST_P(CheckpointTest, DamagedManifestIsPassedOverAndCutOneToo) {
  CheckpointWriter writer(store_, Sealed(1, "a"), &clock_, {});
  writer.NewBuffer("op")->Table("t").Put(1, "a", "1");
  writer.CloseEpoch();
  writer.Write(2, CheckpointKind::kScheduled);
  writer.CloseEpoch();
  writer.Write(3, CheckpointKind::kScheduled);
  const std::string path = directory_ + "/" + CheckpointStore::ManifestName(3);
  FlipByte(path, 10);
  std::vector<std::string> passed_over;
  EXPECT_EQ(store_->Load(std::nullopt, &passed_over)->manifest.epoch, 2u);
  ASSERT_EQ(passed_over.size(), 1u);
  EXPECT_NE(passed_over[0].find("checksum"), std::string::npos);
  fs::resize_file(path, 20);
  EXPECT_EQ(store_->Load(std::nullopt, nullptr)->manifest.epoch, 2u);
  EXPECT_THROW(store_->Load(3, nullptr), ExternalError);
  EXPECT_THROW(store_->Load(9, nullptr), ExternalError);
}

TEST_P(CheckpointTest, LockIsHeldByOneStoreAtATime) {
  objects_->Lock();
  const auto other = OpenObjectStore(directory_, {});
  EXPECT_THROW(other->Lock(), ExternalError);
  store_.reset();
  objects_.reset();
  other->Lock();
}

TEST(ObjectStoreUrl, UnknownSchemeIsRefused) {
  EXPECT_THROW(OpenObjectStore("ftp://host/x", {}), ExternalError);
  EXPECT_THROW(OpenObjectStore("", {}), ExternalError);
  EXPECT_EQ(OpenObjectStore("file:///tmp/x", {})->url(), "/tmp/x");
}

}  // namespace
}  // namespace laminar
