#include <gmock/gmock.h>

#include "base/local_file.h"
#include "connectors/files/block_reader.h"
#include "connectors/filesystem/file_match.h"
#include "connectors/filesystem/file_namer.h"
#include "connectors/filesystem/partitioner.h"
#include "connectors/test_table.h"

namespace laminar {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::ThrowsMessage;
using testing::UnorderedElementsAre;

std::vector<std::string> NamesOf(const std::vector<FileToRead>& files) {
  std::vector<std::string> names;
  for (const auto& file : files) names.push_back(file.name);
  return names;
}

/// Files a reader of the directory sees, and their content end to end, lines sorted.
std::vector<std::string> VisibleFiles(const TempDir& dir, const std::string& below = "") {
  const std::string root = below.empty() ? dir.path() : dir / below;
  return PathExists(root) ? ListFilesRecursively(root) : std::vector<std::string>();
}

std::vector<std::string> VisibleLines(const TempDir& dir) {
  std::vector<std::string> lines;
  for (const std::string& name : VisibleFiles(dir)) {
    std::stringstream content(dir.Read(name));
    for (std::string line; std::getline(content, line);) lines.push_back(line);
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

size_t StagedFiles(const TempDir& dir) {
  if (!PathExists(dir / ".tmp")) return 0;
  size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(dir / ".tmp")) ++count;
  return count;
}

TEST(FileMatchTest, Globs) {
  TempDir dir;
  for (const char* name :
       {"a.json", "b.csv", "2024/c.json", "2024/x/d.json", "_hidden/e.json", ".tmp/f.json", "2024/.g.json"}) {
    dir.Write(name, "");
  }
  const auto list = [&](const std::string& glob, const std::string& regex) {
    return NamesOf(ListMatching({dir.path(), glob, regex}));
  };
  EXPECT_THAT(list("", ""), ElementsAre("2024/c.json", "2024/x/d.json", "a.json", "b.csv"));
  EXPECT_THAT(list("*.json", ""), ElementsAre("2024/c.json", "2024/x/d.json", "a.json"));
  EXPECT_THAT(list("2024/*.json", ""), ElementsAre("2024/c.json"));
  EXPECT_THAT(list("2024/**/*.json", ""), ElementsAre("2024/c.json", "2024/x/d.json"));
  EXPECT_THAT(list("[!b].{json,csv}", ""), ElementsAre("2024/c.json", "2024/x/d.json", "a.json"));
  EXPECT_THAT(list("?.csv", ""), ElementsAre("b.csv"));
  EXPECT_THAT(list("", "2024/.*c"), ElementsAre("2024/c.json"));
  EXPECT_THAT(NamesOf(ListMatching(MatchOfPath(dir / "*.json"))), ElementsAre("a.json"));
  EXPECT_THAT(NamesOf(ListMatching(MatchOfPath(dir / "2024/**"))), ElementsAre("c.json", "x/d.json"));
  EXPECT_THAT(NamesOf(ListMatching(MatchOfPath(dir / "b.csv"))), ElementsAre("b.csv"));
  EXPECT_THAT([&] { ListMatching({dir / "none", "", ""}); }, ThrowsMessage<ExternalError>(HasSubstr("none")));
}

TEST(FilesystemSourceTest, SubtasksShareTheFiles) {
  TempDir dir;
  for (int i = 0; i < 20; ++i) dir.Write("f" + std::to_string(i), std::to_string(i) + "\n");
  const SourcePlan plan = PlanSourceOf("filesystem", {{"path", dir.path()}});
  EXPECT_TRUE(plan.bounded);
  std::multiset<std::string> lines;
  for (int subtask = 0; subtask < 3; ++subtask) {
    SourceRun run(plan.make(), subtask, 3);
    EXPECT_EQ(run.Drain(), PollResult::kEnd);
    EXPECT_FALSE(run.out.batches.empty());
    for (const Batch& batch : run.out.batches) {
      lines.insert(std::string(static_cast<const arrow::BinaryArray&>(*batch.columns[0]).GetView(0)));
    }
    // All are announced before the first row, so that the watermark waits for each.
    const auto& splits = run.out.splits;
    const auto files =
        static_cast<size_t>(std::count_if(splits.begin(), splits.end(), [](const SplitEvent& event) {
          return event.kind == SplitEvent::Kind::kStarted;
        }));
    EXPECT_EQ(splits.size(), 2 * files);
    for (size_t i = 0; i < files; ++i) EXPECT_EQ(splits[i].kind, SplitEvent::Kind::kStarted);
  }
  EXPECT_EQ(lines.size(), 20u);
  EXPECT_EQ(std::set<std::string>(lines.begin(), lines.end()).size(), 20u);
}

TEST(FilesystemSourceTest, EmptyDirectoryEndsWithoutLookingIdle) {
  TempDir dir;
  SourceRun run(PlanSourceOf("filesystem", {{"path", dir.path()}}).make());
  EXPECT_EQ(run.Poll(), PollResult::kEnd);
  EXPECT_THAT(run.out.idles, IsEmpty());
}

TEST(FilesystemSourceTest, RestoresAtAnotherParallelism) {
  TempDir dir;
  std::map<std::string, std::string> content;
  for (int i = 0; i < 7; ++i) {
    const std::string name = "f" + std::to_string(i);
    for (int line = 0; line < 60'000; ++line) content[name] += name + " line " + std::to_string(line) + "\n";
    dir.Write(name, content[name]);
  }
  const SourcePlan plan = PlanSourceOf("filesystem", {{"path", dir.path()}});
  MemorySnapshot snapshot;
  std::map<std::string, std::string> read;
  const auto collect = [&](const SourceRun& run) {
    for (const Batch& batch : run.out.batches) {
      const std::string block(static_cast<const arrow::BinaryArray&>(*batch.columns[0]).GetView(0));
      read[block.substr(0, block.find(' '))] += block;
    }
  };
  for (int subtask = 0; subtask < 2; ++subtask) {
    SourceRun run(plan.make(), subtask, 2);
    for (int i = 0; i < 5 + subtask; ++i) run.Poll();
    run.SaveTo(&snapshot);
    collect(run);
  }
  EXPECT_GT(snapshot.num_entries(), 2);
  for (int subtask = 0; subtask < 5; ++subtask) {
    SourceRun run(plan.make(), subtask, 5, &snapshot);
    EXPECT_EQ(run.Drain(), PollResult::kEnd);
    collect(run);
  }
  EXPECT_EQ(read, content);
}

TEST(FilesystemSourceTest, AFileThatWasBeingReadMustStay) {
  TempDir dir;
  dir.Write("keep", "1\n");
  MemorySnapshot snapshot;
  snapshot.Writer()->Table("splits").Put(kEverySubtask, "gone", "at 5");
  SourceRun run(PlanSourceOf("filesystem", {{"path", dir.path()}}).make(), 0, 1, &snapshot);
  EXPECT_THAT([&] { run.Poll(); }, ThrowsMessage<ExternalError>(HasSubstr("'gone' has gone")));
}

TEST(FilesystemSourceTest, AFileThatChangesWhileItIsReadIsAnErrorUnlessBadDataIsDropped) {
  TempDir dir;
  for (const char* bad_data : {"fail", "drop"}) {
    const std::string path = dir.Write("a", "1\n");
    SourceRun run(PlanSourceOf("filesystem", {{"path", dir.path()}, {"bad_data", bad_data}}).make());
    run.Poll();
    std::filesystem::last_write_time(path, std::filesystem::file_time_type() + std::chrono::seconds(1));
    if (bad_data == std::string("fail")) {
      EXPECT_THAT([&] { run.Drain(); },
                  ThrowsMessage<ExternalError>(HasSubstr("was changed while it was read")));
    } else {
      EXPECT_EQ(run.Drain(), PollResult::kEnd);
    }
  }
}

TEST(FilesystemSourceTest, WatchesForNewNames) {
  TempDir dir;
  const SourcePlan plan =
      PlanSourceOf("filesystem", {{"path", dir.path()}, {"scan_interval", "1m"}, {"pattern", "*.json"}});
  EXPECT_FALSE(plan.bounded);
  SourceRun run(plan.make());
  EXPECT_EQ(run.Drain(), PollResult::kWaiting);
  EXPECT_THAT(run.out.idles, ElementsAre(true));
  EXPECT_EQ(run.source->next_poll_us(), run.clock.now_us() + 60'000'000);
  dir.Write("b.json", "2\n");
  dir.Write("b.txt", "no\n");
  EXPECT_EQ(run.Drain(), PollResult::kWaiting);
  EXPECT_THAT(run.out.batches, IsEmpty());
  run.clock.Advance(60'000'000);
  EXPECT_EQ(run.Drain(), PollResult::kWaiting);
  EXPECT_EQ(run.Payloads(), "2\n");
  EXPECT_THAT(run.out.idles, ElementsAre(true, false, true));
  dir.Write("a.json", "1\n");
  run.clock.Advance(60'000'000);
  run.Drain();
  EXPECT_EQ(run.Payloads(), "2\n1\n");
}

TEST(FilesystemSourceTest, FileFormatsGiveRows) {
  TempDir dir;
  {
    SinkRun writer(PlanSinkOf("filesystem", {{"path", dir.path()}, {"format", "parquet"}}).make());
    writer.sink->Write(RowsOf({1, 2, 3, 4, 5}));
    writer.sink->Close();
  }
  ASSERT_THAT(VisibleFiles(dir), ElementsAre(HasSubstr(".parquet")));
  TableSpec table = TableOf("filesystem", {{"path", dir.path()}, {"format", "parquet"}}, TableKind::kSource);
  table.metadata_keys = {"file"};
  const SourcePlan plan = ConnectorNamed("filesystem").PlanSource(table);
  EXPECT_EQ(plan.emits, SourcePlan::Emits::kRows);
  EXPECT_EQ(plan.default_event_time, 2);
  EXPECT_EQ(plan.schema.num_columns(), 3);
  SourceRun run(plan.make(), 0, 1, nullptr, 2);
  run.Poll();
  run.Poll();
  ASSERT_THAT(run.out.batches, SizeIs(2));
  EXPECT_EQ(run.out.batches[1].columns.size(), 3u);
  MemorySnapshot snapshot;
  run.SaveTo(&snapshot);
  SourceRun again(plan.make(), 0, 1, &snapshot);
  again.Drain();
  ASSERT_THAT(again.out.batches, SizeIs(1));
  EXPECT_EQ(static_cast<const arrow::Int64Array&>(*again.out.batches[0].columns[0]).Value(0), 5);
}

TEST(FilesystemSourceTest, BadOptions) {
  EXPECT_THAT([] { PlanSourceOf("filesystem", {{"path", "x"}, {"regex_pattern", "("}}); },
              ThrowsMessage<UserError>(HasSubstr("no regular expression")));
  EXPECT_THAT([] { PlanSourceOf("filesystem", {{"path", "/none/*.json"}, {"pattern", "*"}}); },
              ThrowsMessage<UserError>(HasSubstr("not both")));
  EXPECT_THAT([] { PlanSourceOf("filesystem", {{"path", "x"}, {"compression", "rar"}}); },
              ThrowsMessage<UserError>(HasSubstr("unknown compression 'rar'")));
  EXPECT_THAT([] { PlanSourceOf("filesystem", {{"path", "x"}, {"format", "avro"}}); },
              ThrowsMessage<UserError>(HasSubstr("not in this build")));
  EXPECT_THAT([] { PlanSourceOf("filesystem", {{"path", "hdfs://b/k"}}); },
              ThrowsMessage<UserError>(HasSubstr("cannot be read or written here")));
}

TEST(FilesystemSinkTest, NothingIsVisibleBeforeTheCommit) {
  TempDir dir;
  SinkRun run(PlanSinkOf("filesystem", {{"path", dir.path()}, {"rolling_policy.file_size", "4"}}).make());
  run.sink->Write(RowsOf({1, 2, 3}));  // over the limit: closed, but not committed
  run.sink->Write(RowsOf({4}));
  EXPECT_THAT(VisibleFiles(dir), IsEmpty());
  MemorySnapshot snapshot;
  run.SaveTo(1, &snapshot);
  EXPECT_THAT(VisibleFiles(dir), IsEmpty());
  run.sink->OnCheckpointComplete(1);
  EXPECT_THAT(VisibleLines(dir), ElementsAre("1", "2", "3"));
  run.sink->Close();
  EXPECT_THAT(VisibleLines(dir), ElementsAre("1", "2", "3", "4"));
  EXPECT_FALSE(PathExists(dir / ".tmp"));
}

TEST(FilesystemSinkTest, FilesOfALaterEpochWait) {
  TempDir dir;
  SinkRun run(PlanSinkOf("filesystem", {{"path", dir.path()}, {"rolling_policy.file_size", "1"}}).make());
  MemorySnapshot snapshot;
  run.sink->Write(RowsOf({1}));
  run.SaveTo(1, &snapshot);
  run.sink->Write(RowsOf({2}));
  run.SaveTo(2, &snapshot);
  run.sink->Write(RowsOf({3}));
  run.sink->OnCheckpointComplete(1);
  EXPECT_THAT(VisibleLines(dir), ElementsAre("1"));
  run.sink->OnCheckpointComplete(2);
  EXPECT_THAT(VisibleLines(dir), ElementsAre("1", "2"));
  run.SaveTo(3, &snapshot);
  // The file of epoch 3: the entries of committed files have gone.
  EXPECT_EQ(snapshot.num_entries(), 1);
}

TEST(FilesystemSinkTest, EachRowOnceAfterACrashAtAnotherParallelism) {
  TempDir dir;
  for (const char* compression : {"none", "gzip"}) {
    for (const int parallelism : {1, 3}) {
      std::filesystem::remove_all(dir.path());
      const SinkPlan plan = PlanSinkOf("filesystem", {{"path", dir.path()},
                                                      {"rolling_policy.file_size", "3"},
                                                      {"json.compression", compression},
                                                      {"filename.strategy", "serial"}});
      MemorySnapshot snapshot;
      {
        SinkRun first(plan.make(), 0, 2), second(plan.make(), 1, 2);
        for (SinkRun* run : {&first, &second}) {
          const int64_t base = run == &first ? 0 : 1000;
          run->sink->Write(RowsOf({base + 100, base + 101}));  // closed
          run->sink->Write(RowsOf({base + 1}));  // open at the checkpoint (one byte and a newline)
          run->SaveTo(7, &snapshot);
          run->sink->Write(RowsOf({base + 200}));  // lost, and comes again
          run->sink->Write(RowsOf({base + 300}));
          run->sink->Flush();
        }
      }
      EXPECT_THAT(VisibleFiles(dir), IsEmpty());
      std::vector<std::unique_ptr<SinkRun>> runs;
      for (int subtask = 0; subtask < parallelism; ++subtask) {
        runs.push_back(std::make_unique<SinkRun>(plan.make(), subtask, parallelism, &snapshot));
      }
      EXPECT_THAT(VisibleFiles(dir), testing::Not(IsEmpty()))
          << "what was closed at the checkpoint is committed again";
      for (const int64_t base : {0, 1000}) {
        runs[static_cast<size_t>(base) % runs.size()]->sink->Write(RowsOf({base + 200, base + 300}));
      }
      for (auto& run : runs) run->sink->Close();
      std::vector<std::string> lines;
      for (const std::string& name : VisibleFiles(dir)) {
        BlockReader reader(OpenFileInput(dir / name, CompressionOf(name, "")), WholeLines);
        const RecordBlock block = reader.Next();
        std::stringstream content{
            std::string(std::string_view(*block.buffer).substr(0, static_cast<size_t>(block.size)))};
        for (std::string line; std::getline(content, line);) lines.push_back(line);
      }
      EXPECT_THAT(lines, UnorderedElementsAre("1", "100", "101", "200", "300", "1001", "1100", "1101", "1200",
                                              "1300"))
          << compression << " " << parallelism;
      EXPECT_EQ(StagedFiles(dir), 0u);
    }
  }
}

TEST(FilesystemSinkTest, ACommitMayBeRepeated) {
  TempDir dir;
  const SinkPlan plan = PlanSinkOf("filesystem", {{"path", dir.path()}, {"rolling_policy.file_size", "1"}});
  MemorySnapshot snapshot;
  {
    SinkRun run(plan.make());
    run.sink->Write(RowsOf({1}));
    run.SaveTo(1, &snapshot);
    run.sink->OnCheckpointComplete(1);
  }
  SinkRun(plan.make(), 0, 1, &snapshot);
  EXPECT_THAT(VisibleLines(dir), ElementsAre("1"));
  std::filesystem::remove(dir / VisibleFiles(dir)[0]);
  EXPECT_THAT([&] { SinkRun(plan.make(), 0, 1, &snapshot); },
              ThrowsMessage<ExternalError>(HasSubstr("cannot be committed")));
}

TEST(FilesystemSinkTest, ACloseAfterTheLastCheckpointIsTakenBack) {
  TempDir dir;
  const SinkPlan plan = PlanSinkOf("filesystem", {{"path", dir.path()}});
  MemorySnapshot snapshot;
  {
    SinkRun run(plan.make());
    run.sink->Write(RowsOf({1}));
    run.SaveTo(1, &snapshot);
    run.sink->Write(RowsOf({2}));
    run.sink->Close();
  }
  SinkRun run(plan.make(), 0, 1, &snapshot);
  EXPECT_THAT(VisibleFiles(dir), IsEmpty());
  run.sink->Write(RowsOf({2}));
  run.sink->Close();
  EXPECT_THAT(VisibleLines(dir), ElementsAre("1", "2"));
  EXPECT_THAT(VisibleFiles(dir), SizeIs(1));
}

TEST(FilesystemSinkTest, FilesWithAFooterEndAtEachCheckpoint) {
  TempDir dir;
  SinkRun run(PlanSinkOf("filesystem", {{"path", dir.path()}, {"format", "parquet"}}).make());
  MemorySnapshot snapshot;
  run.sink->Write(RowsOf({1, 2}));
  run.SaveTo(1, &snapshot);
  run.sink->OnCheckpointComplete(1);
  ASSERT_THAT(VisibleFiles(dir), SizeIs(1));
  EXPECT_EQ(dir.Read(VisibleFiles(dir)[0]).size(), 19u);
}

TEST(FilesystemSinkTest, RollsByTime) {
  TempDir dir;
  SinkRun run(PlanSinkOf("filesystem", {{"path", dir.path()},
                                        {"rolling_policy.interval", "10s"},
                                        {"rolling_policy.inactivity_seconds", "4"}})
                  .make());
  EXPECT_EQ(run.sink->next_timer_us(), std::nullopt);
  run.sink->Write(RowsOf({1}));
  EXPECT_EQ(run.sink->next_timer_us(), run.clock.now_us() + 4'000'000);
  run.clock.Advance(3'000'000);
  run.sink->Write(RowsOf({2}));
  run.clock.Advance(3'900'000);
  run.sink->Write(RowsOf({3}));
  EXPECT_EQ(run.sink->next_timer_us(), run.clock.now_us() + 3'100'000)
      << "the interval counts from the first row";
  run.clock.Advance(3'100'000);
  run.sink->OnTimer(run.clock.now_us());
  EXPECT_EQ(run.sink->next_timer_us(), std::nullopt);
  run.sink->Write(RowsOf({4}));
  run.sink->Close();
  EXPECT_THAT(VisibleFiles(dir), SizeIs(2));
}

Batch PartitionedRows() {
  Batch rows = RowsOf({1, 2, 3, 4});
  arrow::StringBuilder names;
  OrThrow(names.AppendValues({"a", "b/c", "a"}));
  OrThrow(names.AppendNull());
  rows.columns.push_back(OrThrow(names.Finish()));
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool());
  OrThrow(times.AppendValues({0, 3'600'000'000, 1, -1}));
  rows.columns.push_back(OrThrow(times.Finish()));
  return rows;
}

const Schema kPartitionedSchema = {{{"n", Type::Int64()}, {"name", Type::Text()}, {"at", Type::Timestamp()}}};

TEST(FilesystemSinkTest, PartitionsByTimeThenFields) {
  TempDir dir;
  TableSpec table = TableOf("filesystem",
                            {{"path", dir.path()},
                             {"partitioning.time_pattern", "%Y-%m-%d/%H"},
                             {"partition_by", "name"},
                             {"filename.prefix", "part"},
                             {"filename.suffix", "txt"},
                             {"filename.strategy", "serial"}},
                            TableKind::kSink, kPartitionedSchema);
  table.event_time_column = 2;
  SinkRun run(ConnectorNamed("filesystem").PlanSink(table).make());
  run.sink->Write(Slice(PartitionedRows(), 0, 4));
  run.sink->Close();
  EXPECT_THAT(
      VisibleFiles(dir),
      UnorderedElementsAre(testing::StartsWith("1970-01-01/00/name=a/part-0000"),
                           testing::StartsWith("1970-01-01/01/name=b%2Fc/part-"),
                           testing::StartsWith("1969-12-31/23/name=__HIVE_DEFAULT_PARTITION__/part-")));
  EXPECT_THAT(VisibleFiles(dir), testing::Each(testing::EndsWith("-000.txt")));
  EXPECT_EQ(
      dir.Read(VisibleFiles(dir, "1970-01-01/00/name=a").empty() ? ""
                                                                 : "1970-01-01/00/name=a/part-00000-000.txt"),
      "1\n3\n");
}

TEST(FilesystemSinkTest, SlicedBatchesPartitionTheSame) {
  const PartitionSpec spec{"%H", 2, {"name"}, {1}};
  const auto partitions = PartitionRows(Slice(PartitionedRows(), 1, 2), spec);
  ASSERT_THAT(partitions, SizeIs(2));
  EXPECT_EQ(partitions[0].directory, "01/name=b%2Fc");
  EXPECT_EQ(partitions[1].directory, "00/name=a");
}

TEST(FilesystemSinkTest, WatermarkClosesTimePartitions) {
  TempDir dir;
  TableSpec table = TableOf("filesystem",
                            {{"path", dir.path()},
                             {"partitioning.time_pattern", "%H"},
                             {"rolling_policy.watermark_expiration", "true"}},
                            TableKind::kSink, kPartitionedSchema);
  table.event_time_column = 2;
  SinkRun run(ConnectorNamed("filesystem").PlanSink(table).make());
  run.sink->Write(PartitionedRows());
  run.sink->OnWatermark(1'800'000'000);  // 00:30: only hour 23 of the day before is over
  MemorySnapshot snapshot;
  run.SaveTo(1, &snapshot);
  run.sink->OnCheckpointComplete(1);
  EXPECT_THAT(VisibleFiles(dir), ElementsAre(testing::StartsWith("23/")));
  run.sink->OnWatermark(kMaxWatermark);
  run.SaveTo(2, &snapshot);
  run.sink->OnCheckpointComplete(2);
  EXPECT_THAT(VisibleFiles(dir), SizeIs(3));
}

TEST(FilesystemSinkTest, BadOptions) {
  const auto plan = [](std::vector<std::pair<std::string, std::string>> options) {
    options.push_back({"path", "x"});
    return PlanSinkOf("filesystem", options);
  };
  EXPECT_THAT([&] { plan({{"partitioning.fields", "m"}}); },
              ThrowsMessage<UserError>(HasSubstr("no column 'm'")));
  EXPECT_THAT([&] { plan({{"partitioning.time_pattern", "%Y"}}); },
              ThrowsMessage<UserError>(HasSubstr("event time")));
  EXPECT_THAT([&] { plan({{"filename.prefix", "../x"}}); }, ThrowsMessage<UserError>(HasSubstr("has a '/'")));
  EXPECT_THAT([&] { plan({{"filename.strategy", "md5"}}); },
              ThrowsMessage<UserError>(HasSubstr("one of uuid_v7")));
  EXPECT_THAT([&] { plan({{"scan_interval", "1s"}}); },
              ThrowsMessage<UserError>(HasSubstr("is for sources")));
}

TEST(FileNamerTest, Strategies) {
  FileNamer serial(NameStrategy::kSerial, "", "json", 2);
  EXPECT_EQ(serial.Next(0), "00000-002.json");
  EXPECT_EQ(serial.Next(0), "00001-002.json");
  FileNamer v7(NameStrategy::kUuid7, "p", ".x", 0);
  const std::string early = v7.Next(1'000'000'000'000);
  const std::string late = v7.Next(2'000'000'000'000);
  EXPECT_THAT(early, testing::MatchesRegex(
                         "p-[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}[.]x"));
  EXPECT_LT(early, late);
  EXPECT_NE(FileNamer(NameStrategy::kUuid4, "", "", 0).Next(0),
            FileNamer(NameStrategy::kUuid4, "", "", 0).Next(0));
  EXPECT_EQ(FileNamer(NameStrategy::kUlid, "", "", 0).Next(0).size(), 26u);
}

}  // namespace
}  // namespace laminar
