#include "jobs/worker.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>

#include "base/local_file.h"
#include "jobs/capture.h"
#include "jobs/checkpoint_driver.h"
#include "jobs/declared.h"
#include "jobs/job_numbers.h"
#include "jobs/job_run.h"
#include "jobs/memory_room.h"
#include "jobs/plan_graph.h"
#include "jobs/worker_protocol.h"
#include "runtime/executor.h"

namespace laminar {

namespace {

using Json = nlohmann::json;
using std::chrono::milliseconds;

constexpr milliseconds kOutputInterval{50};
constexpr milliseconds kMetricsInterval{1000};
/// By then all operators have been opened.
constexpr int kReportsBeforeRelease = 3;
/// While nothing changes. Twice within the server's patience (pipeline.worker_timeout).
constexpr milliseconds kAliveInterval{2400};
constexpr milliseconds kAliveSlack{100};
/// So often in a row nothing had changed: from then on a look at each sign of life is enough.
constexpr int kReportsBeforeIdle = 5;

int64_t NowMs() { return SystemClock().now_us() / 1000; }

/// Writes whole messages; after the server has gone, nothing matters any more.
class Channel {
 public:
  explicit Channel(int socket) : socket_(socket) {}

  void Send(const Json& message) {
    const std::string line = EncodeMessage(message);
    std::lock_guard lock(mutex_);
    for (size_t done = 0; done < line.size();) {
      const ssize_t sent = send(socket_, line.data() + done, line.size() - done, MSG_NOSIGNAL);
      if (sent < 0 && errno == EINTR) continue;
      if (sent <= 0) _exit(3);
      done += static_cast<size_t>(sent);
    }
  }
  /// The next line; false at the end of the stream.
  bool Receive(std::string* line) {
    while (!reader_.Next(line)) {
      char bytes[65536];
      const ssize_t got = recv(socket_, bytes, sizeof bytes, 0);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0 || reader_.buffered() > kMessageBytesMax) return false;
      reader_.Append({bytes, static_cast<size_t>(got)});
    }
    return true;
  }

 private:
  const int socket_;
  std::mutex mutex_;
  MessageReader reader_;  // of the one receiving thread
};

/// What ended a job: which message, and whose fault (user, external, internal).
struct Failure {
  std::string message;
  std::string domain;
  std::string operator_id;
  int task_index = 0;
  std::string record = {};  ///< the bytes that it is about
};

std::string DomainOf(const std::exception_ptr& cause) {
  if (!cause) return "external";  // a last checkpoint that could not be written
  try {
    std::rethrow_exception(cause);
  } catch (const UserError&) {
    return "user";
  } catch (const QueryError&) {
    return "user";
  } catch (const ExternalError& error) {
    return error.retry() == ExternalError::Retry::kBackoff ? "external" : "user";
  } catch (...) {
    return "internal";
  }
}

std::string RecordOf(const std::exception_ptr& cause) {
  if (!cause) return "";
  try {
    std::rethrow_exception(cause);
  } catch (const QueryError& error) {
    return error.record();
  } catch (...) {
    return "";
  }
}

std::string Described(const UserError& error, std::string_view script) {
  std::string out = error.message();
  if (error.span().known()) {
    const LineColumn at = LocateOffset(script, error.span().offset);
    out = "line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ": " + out;
  }
  return error.hint().empty() ? out : out + " (" + error.hint() + ")";
}

/// Lets go of the pages of code that planning and opening touched: they stay in the page cache, which all
/// jobs share, and come back one by one where they are run again. Halves what an idle job keeps mapped.
void ReleaseCodePages() {
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0, end = 0;
    char mode[5] = "";
    if (std::sscanf(line.c_str(), "%lx-%lx %4s", &begin, &end, mode) != 3) continue;
    // Code of files is never written to, so that nothing is lost.
    if (std::strcmp(mode, "r-xp") == 0 && line.find('/') != std::string::npos)
      madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
  }
}

class Worker {
 public:
  Worker(const Engine& engine, int socket) : engine_(engine), channel_(socket) {}

  int Run() {
    std::string line;
    if (!channel_.Receive(&line)) return 3;
    description_ = Json::parse(line);
    if (description_.at("v").get<int>() != kWorkerProtocolVersion)
      return End("failed", Failure{"server and worker are of different builds", "internal", "", 0});
    NoteTime("described_ms");
    script_ = description_.at("script").get<std::string>();
    channel_.Send({{"type", "hello"}, {"v", kWorkerProtocolVersion}, {"pid", getpid()}});
    try {
      return RunJob();
    } catch (const UserError& error) {
      return End("failed", Failure{Described(error, script_), "user", "", 0});
    } catch (const ExternalError& error) {
      return End("failed", Failure{error.what(), DomainOf(std::current_exception()), "", 0});
    } catch (const std::exception& error) {
      return End("failed", Failure{error.what(), "internal", "", 0});
    }
  }

 private:
  /// One that was started beside its predecessor restores what there is of the state, and then does nothing
  /// until the server says that the predecessor is done.
  void AwaitStart() {
    const pid_t predecessor = description_.value("predecessor", 0);
    if (predecessor == 0) return;
    channel_.Send({{"type", "planned"}});
    if (ResidentBytes(predecessor) < FreeMemoryBytes() / 2) run_->RestoreAhead();
    channel_.Send({{"type", "ready"}});
    for (std::string line; channel_.Receive(&line);) {
      const Json command = Json::parse(line, nullptr, false);
      if (command.is_object() && command.value("type", "") == "start") return;
    }
    _exit(3);  // the server has gone, or wants no successor any more
  }

  /// Before anything of the job's state or output is opened. Held until nothing can be written any more, at
  /// the latest to the end of the process, whatever ends it: that the job runs once does not depend on the
  /// server's view of its children. The predecessor ends as soon as it sees that its server has gone.
  void TakeLock(const std::string& path) {
    if (path.empty()) return;
    lock_file_ = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_file_ < 0) throw ExternalError("file", "cannot open the lock file '" + path + "'");
    while (flock(lock_file_, LOCK_EX) != 0) {
      if (errno != EINTR) throw ExternalError("file", "cannot lock '" + path + "'");
    }
    const std::string token = std::to_string(description_.value("token", int64_t{0})) + "\n";
    if (ftruncate(lock_file_, 0) == 0) WriteFully(lock_file_, token, path);
  }

  /// The last checkpoint is written, sinks have committed, threads have ended. A process unmaps its memory
  /// before it closes files, and a successor need not wait for gigabytes of that.
  void ReleaseLocks() {
    if (objects_) objects_->Unlock();
    if (lock_file_ >= 0) close(lock_file_);
    lock_file_ = -1;
  }

  void NoteTime(const char* what) {
    std::lock_guard lock(times_mutex_);
    times_[what] = NowMs();
  }
  /// Of the checkpoint that was restored before the predecessor left, where it was of use.
  void NoteEpoch(const JobRun& run) {
    std::lock_guard lock(times_mutex_);
    if (const auto epoch = run.restored_ahead()) times_["restored_ahead"] = *epoch;
  }
  /// When what happened, for whoever wants to know where the time of a start or a stop went.
  void SendTimes(const char* message) {
    Json times = Json::object();
    {
      std::lock_guard lock(times_mutex_);
      times.swap(times_);
    }
    channel_.Send({{"type", "log"}, {"level", "info"}, {"message", message}, {"details", std::move(times)}});
  }

  void SendState(const char* state) { channel_.Send({{"type", "state"}, {"state", state}}); }

  int RunJob() {
    SendState("Compiling");
    const Declared tables(description_.value("tables", std::map<std::string, std::string>{}));
    const Declared functions(description_.value("functions", std::map<std::string, std::string>{}));
    sql::BinderOptions options = engine_.binder_options();
    options.catalog = &tables;
    options.function_catalog = &functions;
    options.functions_before = description_.value("own_functions", std::vector<std::string>{});
    options.may_sample = true;
    const sql::PlannedScript script = sql::PlanScript(script_, options);
    if (!script.errors.empty()) throw script.errors[0];

    const std::string capture = description_.value("capture", "none");
    CaptureBuffer buffer(description_.value("limit", int64_t{0}));
    sql::PhysicalOptions physical;
    physical.parallelism = description_.value("parallelism", 1);
    physical.formats = engine_.formats;
    physical.functions = engine_.functions;
    physical.capture = capture == "only"   ? sql::SinkCapture::kOnly
                       : capture == "both" ? sql::SinkCapture::kBoth
                                           : sql::SinkCapture::kNone;
    physical.preview = [&](const Schema& columns, bool changelog, int number) {
      captured_columns_.push_back(columns);
      captured_changelog_.push_back(changelog);
      return buffer.MakeSink(*engine_.formats, columns, changelog, number);
    };
    JobGraph graph = sql::MakeJobGraph(script, physical);
    operator_ids_ = ApiOperatorIds(graph);
    SendPlan(graph);

    SendState("Scheduling");
    NoteTime("planned_ms");
    JobRunOptions run_options;
    TaskSettings& task = run_options.executor.task;
    task.flush_interval_us = script.settings.updating_flush_interval_us.value_or(
        description_.value("flush_interval_us", task.flush_interval_us));
    task.batch_rows_max = description_.value("batch_rows", task.batch_rows_max);
    run_options.executor.worker_threads = std::max(
        1, std::min<int>(physical.parallelism, static_cast<int>(std::thread::hardware_concurrency())));
    run_options.memory = StateMemoryOf(script.settings);
    run_options.state = State();
    run_options.on_checkpoint = [this](const CheckpointReport& report) { SendCheckpoint(report); };
    run_options.on_failed_checkpoint = [this](const CheckpointFailure& failure) {
      channel_.Send({{"type", "checkpoint_failed"},
                     {"epoch", failure.epoch},
                     {"kind", CheckpointKindName(failure.kind)},
                     {"started_ms", failure.started_ms},
                     {"failed_ms", failure.failed_ms},
                     {"message", failure.message}});
    };
    run_options.on_warning = [this](const std::string& text) { SendWarning(text); };
    for (const GraphNode& node : graph.nodes)
      api_ids_[node.operator_id] = operator_ids_[static_cast<size_t>(node.id)];
    // Never destroyed: the process ends, and its memory goes with it faster than by destructors.
    run_ = new JobRun(std::move(graph), std::move(run_options));
    JobRun& run = *run_;
    AwaitStart();
    NoteTime("told_ms");
    TakeLock(description_.value("lock_file", ""));
    NoteTime("locked_ms");
    run.Open();
    NoteTime("opened_ms");
    NoteEpoch(run);
    if (run.state() != nullptr) {
      for (const std::string& text : run.state()->warnings()) SendWarning(text);
      if (run.state()->restored_epoch())
        channel_.Send({{"type", "restored"}, {"epoch", *run.state()->restored_epoch()}});
    }
    Executor& executor = run.executor();
    buffer.OnRows([this] {
      std::lock_guard lock(mutex_);
      rows_waiting_ = true;
      changed_.notify_all();
    });
    run.Start();
    SendState("Running");
    SendTimes("started");
    std::thread commands([this] { ReadCommands(); });
    commands.detach();  // blocked in a read until the process ends
    std::thread reporter([&] { Report(executor, buffer); });
    const JobResult result = run.Wait();
    NoteTime("closed_ms");
    {
      std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    reporter.join();
    SendOutput(buffer);
    SendMetrics(executor);
    if (result.outcome == JobResult::Outcome::kStopped) {
      ReleaseLocks();
      SendTimes("stopped");
    }
    return EndWith(result, buffer.limit_reached());
  }

  int EndWith(const JobResult& result, bool limit) {
    switch (result.outcome) {
      case JobResult::Outcome::kFinished:
        return End("finished", std::nullopt, limit);
      case JobResult::Outcome::kStopped:
        return End("stopped", std::nullopt);
      case JobResult::Outcome::kCancelled:
        return End("cancelled", std::nullopt);
      case JobResult::Outcome::kFailed:
        break;
    }
    Failure failure;
    failure.message = result.failure->message;
    failure.domain = DomainOf(result.failure->cause);
    const auto known = api_ids_.find(result.failure->operator_id);
    failure.operator_id = known == api_ids_.end() ? "" : known->second;
    failure.task_index = result.failure->subtask;
    failure.record = RecordOf(result.failure->cause);
    return End("failed", failure);
  }

  /// Where the job's state lives; nullopt: it keeps none (previews).
  std::optional<StateOptions> State() {
    const std::string url = description_.value("state_url", "");
    if (url.empty()) return std::nullopt;
    StateOptions options;
    options.objects = OpenObjectStore(url, description_.value("state_options", StorageOptions{}));
    objects_ = options.objects;
    options.interval_us = description_.value("checkpoint_interval_us", options.interval_us);
    options.allow_drop = description_.value("allow_drop", false);
    if (const auto choice = RestoreChoice::Parse(description_.value("restore", "latest")))
      options.restore = *choice;
    return options;
  }

  void SendWarning(const std::string& text) {
    channel_.Send({{"type", "error"}, {"level", "warning"}, {"message", text}});
  }

  void SendCheckpoint(const CheckpointReport& report) {
    if (report.kind == CheckpointKind::kStopping) NoteTime("written_ms");
    Json operators = Json::array();
    for (size_t i = 0; i < report.operators.size(); ++i) {
      const ManifestOperator& one = report.operators[i];
      const auto known = api_ids_.find(one.id);
      Json subtasks = Json::array();
      for (const int64_t bytes : report.subtask_bytes[i])
        subtasks.push_back({{"subtask_index", subtasks.size()}, {"state_size", bytes}});
      operators.push_back({{"operator_id", known == api_ids_.end() ? one.id : known->second},
                           {"operator_name", one.name},
                           {"state_size", one.bytes()},
                           {"subtask_states", std::move(subtasks)}});
    }
    channel_.Send({{"type", "checkpoint"},
                   {"epoch", report.epoch},
                   {"kind", CheckpointKindName(report.kind)},
                   {"finished_ms", report.finished_ms},
                   {"write_us", report.write_us},
                   {"pause_us", report.pause_us},
                   {"kept_from", report.kept.empty() ? 0 : report.kept.front()},
                   {"written_bytes", report.written_bytes},
                   {"size_bytes", report.total_bytes},
                   {"operators", std::move(operators)}});
  }

  int End(const char* outcome, const std::optional<Failure>& failure, bool limit = false) {
    Json message = {{"type", "end"}, {"outcome", outcome}};
    if (limit) message["reason"] = "limit";
    if (failure) {
      message["failure"] = {{"message", failure->message},
                            {"domain", failure->domain},
                            {"operator_id", failure->operator_id},
                            {"task_index", failure->task_index},
                            {"record", failure->record}};
    }
    channel_.Send(message);
    return 0;
  }

  /// Operators, subtasks, and the columns of what is captured.
  void SendPlan(const JobGraph& graph) {
    Json outputs = Json::array();
    size_t number = 0;
    for (const GraphNode& node : graph.nodes) {
      if (node.name != "preview") continue;
      Json columns = Json::array();
      for (const Field& field : captured_columns_[number].fields)
        columns.push_back({{"name", field.name}, {"data_type", field.type.ToString()}});
      outputs.push_back({{"operator_id", operator_ids_[static_cast<size_t>(node.id)]},
                         {"columns", std::move(columns)},
                         {"updating", static_cast<bool>(captured_changelog_[number])}});
      capture_ids_.push_back(operator_ids_[static_cast<size_t>(node.id)]);
      ++number;
    }
    channel_.Send({{"type", "plan"}, {"graph", GraphJson(graph)}, {"outputs", std::move(outputs)}});
  }

  void ReadCommands() {
    std::string line;
    while (channel_.Receive(&line)) {
      const Json command = Json::parse(line, nullptr, false);
      if (!command.is_object()) continue;
      const std::string type = command.value("type", "");
      if (type == "stop") {
        const std::string mode = command.value("mode", "");
        NoteTime("asked_ms");
        if (mode == "checkpoint") {
          run_->StopAtCheckpoint();
        } else {
          run_->Stop(mode == "immediate" ? StopMode::kImmediate : StopMode::kGraceful);
        }
      } else if (type == "checkpoint") {
        run_->RequestCheckpoint(command.value("savepoint", false) ? CheckpointKind::kSavepoint
                                                                  : CheckpointKind::kManual);
      } else if (type == "interval") {
        run_->SetInterval(command.value("interval_us", int64_t{10'000'000}));
      } else if (type == "hold_merges") {
        run_->HoldMerges();
      }
    }
    _exit(3);  // the server has gone: its successor starts the job again
  }

  void Report(Executor& executor, CaptureBuffer& buffer) {
    auto next_metrics = std::chrono::steady_clock::now();
    auto next_output = next_metrics;
    std::unique_lock lock(mutex_);
    while (!over_) {
      changed_.wait_until(lock, rows_waiting_ ? std::min(next_output, next_metrics) : next_metrics);
      const bool output = rows_waiting_ && std::chrono::steady_clock::now() >= next_output;
      if (output) rows_waiting_ = false;
      lock.unlock();
      if (output) {
        next_output = std::chrono::steady_clock::now() + kOutputInterval;
        SendOutput(buffer);
      }
      if (std::chrono::steady_clock::now() >= next_metrics) {
        quiet_reports_ = SendMetrics(executor) ? 0 : quiet_reports_ + 1;
        next_metrics += quiet_reports_ < kReportsBeforeIdle ? kMetricsInterval : kAliveInterval;
        if (++reports_ == kReportsBeforeRelease) ReleaseCodePages();
      }
      if (!finishing_ && executor.all_ended()) {
        finishing_ = true;
        SendState("Finishing");
      }
      lock.lock();
    }
  }

  void SendOutput(CaptureBuffer& buffer) {
    for (CapturedRows& rows : buffer.Take()) {
      Json records = Json::array();
      for (CapturedRow& row : rows.rows) {
        records.push_back(
            {row.timestamp_ms, std::string(1, row.op), std::move(row.record), std::move(row.before)});
      }
      channel_.Send({{"type", "output"},
                     {"operator_id", capture_ids_[static_cast<size_t>(rows.output)]},
                     {"subtask", rows.subtask},
                     {"first", rows.first},
                     {"total", rows.total},
                     {"records", std::move(records)}});
    }
  }

  /// Buckets with something in them, as [bucket, rows].
  static Json LatencyJson(const LatencyHistogram& latency) {
    Json out = Json::array();
    for (int bucket = 0; bucket < LatencyHistogram::kBuckets; ++bucket) {
      if (const int64_t rows = latency.rows(bucket); rows > 0) out.push_back({bucket, rows});
    }
    return out;
  }

  /// The highest event time of a split follows from its watermark where that is so much less; null elsewhere.
  static Json SplitsJson(const StatusBoard& board, std::optional<int64_t> delay_us) {
    Json out = Json::array();
    for (const SplitStatus& split : board.splits()) {
      const bool known =
          delay_us && split.watermark_us != kNoWatermark && split.watermark_us != kEndWatermark;
      out.push_back({split.name, split.watermark_us, split.last_row_us, split.idle,
                     known ? Json(split.watermark_us + *delay_us) : Json()});
    }
    return out;
  }

  /// One of the bad records that were dropped since the last report.
  void SendBadRecord(const SubtaskStatus& status) {
    std::string error, record;
    if (!status.metrics->board.TakeBadRecord(&error, &record)) return;
    int64_t& told = bad_told_[{status.node_id, status.subtask}];
    const int64_t bad = status.metrics->bad_records.value();
    channel_.Send({{"type", "error"},
                   {"level", "warning"},
                   {"message", error},
                   {"operator_id", operator_ids_[static_cast<size_t>(status.node_id)]},
                   {"task_index", status.subtask},
                   {"record", record},
                   {"bad_records", std::max<int64_t>(1, bad - told)}});
    told = bad;
  }

  /// One array of numbers per subtask; JobFeed::OnMetrics reads it in the same order.
  /// False: nothing has changed. Then only a sign of life goes out, and that not each time.
  bool SendMetrics(const Executor& executor) {
    if (!Changed(executor)) {
      if (std::chrono::steady_clock::now() - last_sent_ < kAliveInterval - kAliveSlack) return false;
      last_sent_ = std::chrono::steady_clock::now();
      channel_.Send({{"type", "alive"}});
      return false;
    }
    Json subtasks = Json::array(), latency = Json::array(), splits = Json::array();
    for (const SubtaskStatus& status : executor.Status()) {
      const OperatorMetrics& m = *status.metrics;
      subtasks.push_back({status.node_id, status.subtask, m.rows_in.value(), m.rows_out.value(),
                          m.bytes_in.value(), m.late_rows.value(), m.bad_records.value(),
                          m.state_rows.value(), m.watermark_us.value(), m.busy_us.value(), status.queue_bytes,
                          status.queue_bytes_max, status.task, m.bytes_out.value(), m.splits.value()});
      if (status.node->make_sink) latency.push_back({status.node_id, status.subtask, LatencyJson(m.latency)});
      if (Json shown = SplitsJson(m.board, status.node->watermark_delay_us); !shown.empty())
        splits.push_back({status.node_id, status.subtask, std::move(shown)});
      SendBadRecord(status);
    }
    channel_.Send({{"type", "metrics"},
                   {"time_ms", NowMs()},
                   {"subtasks", subtasks},
                   {"latency", std::move(latency)},
                   {"splits", std::move(splits)}});
    last_sent_ = std::chrono::steady_clock::now();
    return true;
  }

  /// Whether anything of what metrics tell has moved since the last call. Cheap: it is most of what an idle
  /// job does. Time spent busy does not count by itself.
  bool Changed(const Executor& executor) {
    std::vector<int64_t> now = ActivityOf(executor);
    if (now == last_activity_) return false;
    last_activity_ = std::move(now);
    return true;
  }

  const Engine& engine_;
  Channel channel_;
  Json description_;
  std::string script_;
  std::vector<std::string> operator_ids_;  // [nodes]
  std::vector<std::string> capture_ids_;   // [captured outputs]
  std::vector<Schema> captured_columns_;
  std::vector<bool> captured_changelog_;
  std::vector<int64_t> last_activity_;
  std::map<std::pair<int, int>, int64_t> bad_told_;  // by node and subtask
  std::chrono::steady_clock::time_point last_sent_{};
  std::map<std::string, std::string> api_ids_;  // by the graph's ids
  std::mutex times_mutex_;
  Json times_ = Json::object();  // guarded by times_mutex_: milliseconds by name, of what is sent next
  JobRun* run_ = nullptr;
  std::shared_ptr<ObjectStore> objects_;  // of the state
  int lock_file_ = -1;
  bool finishing_ = false;  // of the reporter
  int reports_ = 0;         // likewise
  int quiet_reports_ = 0;   // likewise: in a row, in which nothing had changed
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;          // guarded by mutex_
  bool rows_waiting_ = false;  // guarded by mutex_: captured since the last output
};

}  // namespace

int RunWorker(const Engine& engine, int socket) {
  prctl(PR_SET_NAME, "laminar-job");
  // With the server, also while nobody reads the socket: the state of a pipeline that the next server has
  // deleted must not come back.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  char byte;
  if (recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) return 3;  // it had gone before
  signal(SIGINT, SIG_IGN);                                             // Ctrl-C is the server's to handle
  Worker worker(engine, socket);
  const int code = worker.Run();
  std::fflush(nullptr);
  _exit(code);  // a thread still waits for commands
}

}  // namespace laminar
