#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/local_file.h"
#include "connectors/files/local_url.h"
#include "connectors/test_table.h"

namespace laminar {
namespace {

using testing::HasSubstr;
using testing::ThrowsMessage;

std::string Lines(int first, int count) {
  std::string text;
  for (int i = first; i < first + count; ++i) text += "{\"n\":" + std::to_string(i) + "}\n";
  return text;
}

TEST(SingleFileSourceTest, ReadsBlocksOfLinesWithTheFilesTime) {
  TempDir dir;
  const std::string path = dir.Write("in.json", "{\"n\":1}\r\n{\"n\":2}");
  const SourcePlan plan = PlanSourceOf("single_file", {{"path", path}});
  EXPECT_TRUE(plan.bounded);
  EXPECT_EQ(plan.parallelism_max, 1);
  EXPECT_EQ(plan.default_event_time, 1);
  SourceRun run(plan.make());
  EXPECT_EQ(run.Drain(), PollResult::kEnd);
  EXPECT_EQ(run.Payloads(), "{\"n\":1}\r\n{\"n\":2}");
  ASSERT_EQ(run.out.batches.size(), 1u);
  const Batch& batch = run.out.batches[0];
  EXPECT_EQ(batch.split, 0);
  ASSERT_EQ(batch.columns.size(), 2u);
  EXPECT_EQ(batch.columns[1]->type()->ToString(), "timestamp[us]");
  const auto& times = static_cast<const arrow::TimestampArray&>(*batch.columns[1]);
  EXPECT_EQ(times.Value(0), LocalFile::OpenRead(path).modified_us());
  ASSERT_EQ(run.out.splits.size(), 2u);
  EXPECT_EQ(run.out.splits[0].kind, SplitEvent::Kind::kStarted);
  EXPECT_EQ(run.out.splits[0].name, path);
  EXPECT_EQ(run.out.splits[1].kind, SplitEvent::Kind::kFinished);
  EXPECT_EQ(run.metrics.bytes_in.value(), 16);
}

TEST(SingleFileSourceTest, OtherSubtasksEndAtOnce) {
  TempDir dir;
  SourceRun run(PlanSourceOf("single_file", {{"path", dir.Write("a", "1\n")}}).make(), 1, 2);
  EXPECT_EQ(run.Poll(), PollResult::kEnd);
  EXPECT_THAT(run.out.idles, testing::IsEmpty());
  EXPECT_TRUE(run.out.splits.empty());
}

TEST(SingleFileSourceTest, GoesOnWhereTheCheckpointWas) {
  TempDir dir;
  const std::string text = Lines(0, 900'000);  // several blocks
  const SourcePlan plan = PlanSourceOf("single_file", {{"path", dir.Write("in.json", text)}});
  SourceRun first(plan.make());
  first.Poll();
  first.Poll();
  MemorySnapshot snapshot;
  first.SaveTo(&snapshot);
  first.Poll();  // lost
  SourceRun second(plan.make(), 0, 3, &snapshot);
  EXPECT_EQ(second.Drain(), PollResult::kEnd);
  const std::string after = second.Payloads();
  EXPECT_EQ(text.substr(text.size() - after.size()), after);
  EXPECT_LT(after.size(), text.size());
  EXPECT_EQ(first.out.batches.size(), 3u);
  EXPECT_EQ(text.size() - after.size(),
            static_cast<const arrow::BinaryArray&>(*first.out.batches[0].columns[0]).GetView(0).size() +
                static_cast<const arrow::BinaryArray&>(*first.out.batches[1].columns[0]).GetView(0).size());

  MemorySnapshot done;
  second.SaveTo(&done);
  SourceRun third(plan.make(), 0, 1, &done);
  EXPECT_EQ(third.Drain(), PollResult::kEnd);
  EXPECT_TRUE(third.out.batches.empty());
}

TEST(SingleFileSourceTest, MetadataColumnHoldsThePath) {
  TempDir dir;
  const std::string path = dir.Write("a", "1\n");
  TableSpec table = TableOf("single_file", {{"path", "file://" + path}}, TableKind::kSource);
  table.metadata_keys = {"file"};
  const SourcePlan plan = ConnectorNamed("single_file").PlanSource(table);
  EXPECT_EQ(plan.default_event_time, 2);
  SourceRun run(plan.make());
  run.Drain();
  EXPECT_EQ(static_cast<const arrow::StringArray&>(*run.out.batches.at(0).columns.at(1)).GetView(0), path);
}

TEST(SingleFileSourceTest, MissingFileAndBadOptions) {
  TempDir dir;
  SourceRun run(PlanSourceOf("single_file", {{"path", dir / "none.json"}}).make());
  EXPECT_THAT([&] { run.Poll(); }, ThrowsMessage<ExternalError>(HasSubstr("none.json")));
  EXPECT_THAT([] { PlanSourceOf("single_file", {{"path", "s3://b/k"}}); },
              ThrowsMessage<UserError>(HasSubstr("cannot be read or written here")));
  EXPECT_THAT([] { PlanSourceOf("single_file", {{"path", "x"}, {"framing", "length"}}); },
              ThrowsMessage<UserError>(HasSubstr("for messages")));
  EXPECT_THAT([] { PlanSourceOf("single_file", {}); },
              ThrowsMessage<UserError>(HasSubstr("needs the option 'path'")));
}

TEST(SingleFileSourceTest, SamplesWithoutReadingPipes) {
  TempDir dir;
  const Connector& connector = ConnectorNamed("single_file");
  EXPECT_EQ(
      connector.Sample(TableOf("single_file", {{"path", dir.Write("a", "1\n2\n")}}, TableKind::kSource)),
      "1\n2\n");
  EXPECT_EQ(connector.Sample(TableOf("single_file", {{"path", "-"}}, TableKind::kSource)), std::nullopt);
}

/// A source of a FIFO, polled as a task would: again after each wake.
class FifoRun {
 public:
  FifoRun(const std::string& path, const MemorySnapshot* snapshot)
      : run_(PlanSourceOf("single_file", {{"path", path}}).make()) {
    if (snapshot) run_.source->Restore(*snapshot->Reader({}));
    SourceContext context;
    context.clock = &run_.clock;
    context.metrics = &run_.metrics;
    context.wake = [this] {
      std::lock_guard lock(mutex_);
      woken_ = true;
      changed_.notify_all();
    };
    run_.source->Open(context);
  }
  ~FifoRun() { run_.source.reset(); }  // its thread calls wake

  /// Until the payloads are `wanted`, or the end.
  void PollUntil(const std::string& wanted) {
    while (run_.Payloads() != wanted || wanted.empty()) {
      const PollResult result = run_.Poll();
      if (result == PollResult::kEnd) return;
      if (result == PollResult::kMore) continue;
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return woken_; });
      woken_ = false;
    }
  }
  SourceRun& run() { return run_; }

 private:
  SourceRun run_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool woken_ = false;
};

TEST(PipeSourceTest, GivesWholeLinesAtOnceAndTheRestAtTheEnd) {
  TempDir dir;
  const std::string path = dir / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  FifoRun fifo(path, nullptr);
  fifo.run().Poll();
  const int writer = ::open(path.c_str(), O_WRONLY);
  ASSERT_GE(writer, 0);
  WriteFully(writer, "one\ntw", path);
  fifo.PollUntil("one\n");
  EXPECT_EQ(fifo.run().Payloads(), "one\n") << "a line that is complete does not wait for the next";
  WriteFully(writer, "o\nthree", path);
  ::close(writer);
  fifo.PollUntil("");
  EXPECT_EQ(fifo.run().Payloads(), "one\ntwo\nthree");
  EXPECT_EQ(fifo.run().out.splits.back().kind, SplitEvent::Kind::kFinished);
}

TEST(PipeSourceTest, SkipsWhatWasReadBeforeARestore) {
  TempDir dir;
  const std::string path = dir / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  MemorySnapshot snapshot;
  snapshot.Writer()->Table("splits").Put(kEverySubtask, path, "8");
  FifoRun fifo(path, &snapshot);
  fifo.run().Poll();
  const int writer = ::open(path.c_str(), O_WRONLY);
  WriteFully(writer, "one\ntwo\nthree\n", path);
  ::close(writer);
  fifo.PollUntil("");
  EXPECT_EQ(fifo.run().Payloads(), "three\n");
}

TEST(PipeSourceTest, StopsWhileNothingComes) {
  TempDir dir;
  const std::string path = dir / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  FifoRun fifo(path, nullptr);
  EXPECT_EQ(fifo.run().Poll(), PollResult::kWaiting);
}

TEST(PipeSourceTest, IsDecodedInOrder) {
  TempDir dir;
  const std::string path = dir / "fifo";
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(PlanSourceOf("single_file", {{"path", path}}).spread_decoding);
  EXPECT_FALSE(PlanSourceOf("single_file", {{"path", "-"}}).spread_decoding);
  EXPECT_TRUE(PlanSourceOf("single_file", {{"path", dir.Write("file", "1\n")}}).spread_decoding);
}

TEST(SingleFileSinkTest, WritesLinesAndAHeader) {
  TempDir dir;
  dir.Write("out/a.csv", "old content\n");
  SinkRun run(PlanSinkOf("single_file", {{"path", dir / "out/a.csv"}, {"format", "csv"}}).make());
  run.sink->Write(RecordsOf({"1", "2"}));
  run.sink->Flush();
  EXPECT_EQ(dir.Read("out/a.csv"), "n\n1\n2\n");
  run.sink->Write(RecordsOf({"", "3"}));
  run.sink->Close();
  EXPECT_EQ(dir.Read("out/a.csv"), "n\n1\n2\n\n3\n");
  MemorySnapshot snapshot;
  run.SaveTo(1, &snapshot);  // ended tasks take part in later checkpoints
  EXPECT_EQ(snapshot.num_entries(), 1);
}

TEST(SingleFileSinkTest, RestoreCutsToTheCheckpoint) {
  TempDir dir;
  const SinkPlan plan = PlanSinkOf("single_file", {{"path", dir / "new/dir/a.json"}});
  EXPECT_EQ(plan.parallelism_max, 1);
  MemorySnapshot snapshot;
  {
    SinkRun run(plan.make());
    run.sink->Write(RecordsOf({"1"}));
    run.SaveTo(1, &snapshot);
    run.sink->Write(RecordsOf({"2"}));
    run.sink->Flush();
    EXPECT_EQ(dir.Read("new/dir/a.json"), "1\n2\n");
  }
  SinkRun run(plan.make(), 0, 1, &snapshot);
  run.sink->Write(RecordsOf({"3"}));
  run.sink->Close();
  EXPECT_EQ(dir.Read("new/dir/a.json"), "1\n3\n");
  dir.Write("new/dir/a.json", "");
  EXPECT_THAT([&] { SinkRun(plan.make(), 0, 1, &snapshot); },
              ThrowsMessage<ExternalError>(HasSubstr("the checkpoint left 2")));
}

TEST(SingleFileSinkTest, RefusesStandardOutput) {
  EXPECT_THAT([] { PlanSinkOf("single_file", {{"path", "-"}}); },
              ThrowsMessage<UserError>(HasSubstr("cannot be written to '-'")));
}

TEST(LocalPathTest, Forms) {
  EXPECT_EQ(LocalPathOf("/a/b", {}), "/a/b");
  EXPECT_EQ(LocalPathOf("a b/c%20d", {}), "a b/c%20d");
  EXPECT_EQ(LocalPathOf("file:///a%20b", {}), "/a b");
  EXPECT_EQ(LocalPathOf("file:/a", {}), "/a");
  EXPECT_EQ(LocalPathOf("FILE://localhost/a", {}), "/a");
  EXPECT_THROW(LocalPathOf("file://host/a", {}), UserError);
  EXPECT_THROW(LocalPathOf("", {}), UserError);
  EXPECT_THROW(LocalPathOf("ftp://x/y", {}), UserError);
  for (const char* url : {"s3://user:secret@b/k", "s3::http://h:1/b", "gs://b/k",
                          "abfss://c@a.dfs.core.windows.net/k", "https://x/y"}) {
    try {
      LocalPathOf(url, {});
      ADD_FAILURE() << url;
    } catch (const UserError& error) {
      EXPECT_EQ(error.reason(), Reason::kUnsupported);
      EXPECT_THAT(error.message(), testing::Not(HasSubstr("secret")));
    }
  }
}

TEST(StdoutTest, WritesLinesToDescriptorOneAndReportsAClosedPipe) {
  int pipe_fds[2];
  ASSERT_EQ(::pipe(pipe_fds), 0);
  const int saved = ::dup(STDOUT_FILENO);
  SinkRun run(PlanSinkOf("stdout", {{"format", "csv"}}).make());
  run.sink->Write(RecordsOf({"1", "2"}));
  std::fflush(stdout);
  ::dup2(pipe_fds[1], STDOUT_FILENO);
  run.sink->Flush();
  char text[64];
  const ssize_t n = ::read(pipe_fds[0], text, sizeof(text));
  ::close(pipe_fds[0]);
  run.sink->Write(RecordsOf({"3"}));
  std::string error;
  try {
    run.sink->Flush();
  } catch (const ExternalError& caught) {
    error = caught.what();
  }
  run.sink->Close();  // does not try the lost rows again
  ::dup2(saved, STDOUT_FILENO);
  ::close(saved);
  ::close(pipe_fds[1]);
  EXPECT_EQ(std::string(text, static_cast<size_t>(n)), "n\n1\n2\n");
  EXPECT_THAT(error, HasSubstr("standard output"));
  EXPECT_THAT(error, HasSubstr("Broken pipe"));
}

TEST(BlackholeTest, TakesUpdates) {
  const SinkPlan plan = PlanSinkOf("blackhole", {});
  EXPECT_TRUE(plan.changelog);
  EXPECT_EQ(plan.takes, SinkPlan::Takes::kRows);
  SinkRun run(plan.make());
  Batch rows = RowsOf({1, 1});
  rows.weights = MakeWeights({1, -1});
  run.sink->Write(rows);
  run.sink->Close();
}

}  // namespace
}  // namespace laminar
