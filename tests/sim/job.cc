#include "sim/job.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/scalar.h>
#include <arrow/table.h>
#include <arrow/util/compression.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <sstream>
#include <stdexcept>

#include "base/arrow_result.h"
#include "base/random_id.h"
#include "connectors/files/block_reader.h"
#include "jobs/checkpoint_driver.h"
#include "jobs/job_run.h"
#include "register_all.h"
#include "sim/disk.h"
#include "sql/planner.h"

namespace laminar::sim {

namespace fs = std::filesystem;

namespace {

constexpr char kInputTables[] = R"(
CREATE TABLE orders (id BIGINT, customer INT, amount BIGINT, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '5 seconds')
  WITH (connector = 'filesystem', path = '{in}/orders', type = 'source', format = 'json');
CREATE TABLE payments (order_id BIGINT, customer INT, paid BIGINT, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '5 seconds')
  WITH (connector = 'single_file', path = '{in}/payments.json', type = 'source', format = 'json');
)";

constexpr int64_t kClockStartUs = 1'700'000'000'000'000;
/// Steps without an end after which a job counts as hanging.
constexpr int64_t kStepsMax = 400'000;
/// Restarts; the chance of a fault falls with each.
constexpr int kLivesMax = 200;

std::string Replaced(std::string text, const std::string& what, const std::string& with) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
  return text;
}

std::string TimeText(int64_t ms) {
  return fmt::format("2026-03-01T{:02}:{:02}:{:02}.{:03}Z", ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60,
                     ms % 1000);
}

/// A script that is planned once and made into graphs again and again.
struct PlannedJob {
  sql::PlannedScript script;
  JobGraph Graph(int parallelism) const {
    sql::PhysicalOptions physical;
    physical.parallelism = parallelism;
    physical.formats = &AllRegistries().formats;
    physical.functions = &AllRegistries().functions;
    return sql::MakeJobGraph(script, physical);
  }
};

PlannedJob PlanJob(const Plan& plan, const std::string& in, const std::string& out) {
  const Registries& registries = AllRegistries();
  sql::BinderOptions options;
  options.functions = &registries.functions;
  options.formats = &registries.formats;
  options.connectors = &registries.connectors;
  const std::string text = Replaced(Replaced(kInputTables + plan.sql, "{in}", in), "{out}", out);
  PlannedJob job{sql::PlanScript(text, options)};
  if (!job.script.errors.empty()) throw std::runtime_error(plan.name + ": " + job.script.errors[0].message());
  return job;
}

std::vector<std::string> LinesOf(const std::string& text, const std::string& path) {
  if (!text.empty() && text.back() != '\n') throw std::runtime_error("'" + path + "' ends within a row");
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::string ReadText(const std::string& path) {
  const auto input = OpenFileInput(path, CompressionOf(path, ""));
  std::string text;
  char piece[1 << 14];
  while (const int64_t n = input->Read(piece, sizeof(piece))) text.append(piece, static_cast<size_t>(n));
  return text;
}

std::vector<std::string> ParquetRows(const std::string& path) {
  auto file = OrThrow(arrow::io::ReadableFile::Open(path), path.c_str());
  auto reader = OrThrow(parquet::arrow::OpenFile(file, arrow::default_memory_pool()), path.c_str());
  std::shared_ptr<arrow::Table> table = OrThrow(reader->ReadTable(), path.c_str());
  std::vector<std::string> rows(static_cast<size_t>(table->num_rows()));
  for (int c = 0; c < table->num_columns(); ++c) {
    for (int64_t row = 0; row < table->num_rows(); ++row) {
      rows[static_cast<size_t>(row)] += OrThrow(table->column(c)->GetScalar(row), "cell")->ToString() + " ";
    }
  }
  return rows;
}

/// The state that the changes of a Debezium stream add up to.
Rows Fold(const std::vector<std::string>& changes, const std::vector<std::string>& keys) {
  std::map<std::string, std::string> state;
  const auto key_of = [&](const nlohmann::json& row) {
    std::string key;
    for (const std::string& name : keys) key += row.at(name).dump() + "/";
    return key;
  };
  for (const std::string& line : changes) {
    const auto change = nlohmann::json::parse(line);
    const auto before = change.value("before", nlohmann::json());
    const auto after = change.value("after", nlohmann::json());
    if (!before.is_null()) {
      const auto found = state.find(key_of(before));
      if (found == state.end() || found->second != before.dump()) {
        throw std::runtime_error("taken back but not there: " + before.dump());
      }
      state.erase(found);
    }
    if (!after.is_null() && !state.emplace(key_of(after), after.dump()).second) {
      throw std::runtime_error("there twice: " + after.dump());
    }
  }
  Rows rows;
  for (const auto& [key, row] : state) rows[row] = 1;
  return rows;
}

/// A disturbed run: everything that its seed decides.
class Disturbed {
 public:
  Disturbed(const Plan& plan, const std::string& in, const std::string& out, const std::string& state,
            const std::string& disk_root, uint64_t seed, TraceFunction trace)
      : plan_(plan),
        state_(state),
        random_(seed),
        disk_(disk_root, random_),
        trace_(std::move(trace)),
        job_(PlanJob(plan, in, out)) {}

  RunCounts Run() {
    clock_.Set(kClockStartUs);
    if (trace_) disk_.set_trace([this](const std::string& line) { Trace("  " + line); });
    // Some jobs are only crashed, some only see failures, most see both.
    const double scale = std::vector<double>{0.002, 0.01, 0.03}[random_() % 3];
    rates_.fail = random_() % 2 ? scale : 0;
    rates_.crash = random_() % 2 ? scale : 0;
    crash_steps_ = random_() % 3 ? 0.001 * static_cast<double>(random_() % 10) : 0;
    stop_chance_ = random_() % 3 ? 0 : 0.002;
    for (int lives = 1; !RunOnce(); ++lives) {
      if (lives == kLivesMax)
        throw std::runtime_error("the job cannot be brought to its end: " + last_error_);
      // Ever fewer faults, so that each job comes to its end.
      rates_.fail *= 0.8;
      rates_.crash *= 0.8;
      crash_steps_ *= 0.8;
      stop_chance_ *= 0.8;
    }
    // A run on what has ended writes nothing and clears away what failures left.
    rates_ = {};
    crash_steps_ = stop_chance_ = 0;
    if (!RunOnce()) throw std::runtime_error("a run of the ended job failed without a fault");
    return counts_;
  }

 private:
  bool Chance(double probability) {
    return probability > 0 && std::uniform_real_distribution<double>(0, 1)(random_) < probability;
  }
  void Trace(const std::string& line) const {
    if (trace_) trace_(fmt::format("{:>7} {}", counts_.steps, line));
  }

  /// One life of the process. True when the job has ended.
  bool RunOnce() {
    const int parallelism = plan_.parallelism > 0 ? plan_.parallelism : 1 + static_cast<int>(random_() % 4);
    bool ended = false;
    SeedRandom(random_());
    disk_.set_rates(rates_);
    SetFileFaults(&disk_);
    try {
      ended = Live(parallelism);
    } catch (const ExternalError& error) {
      last_error_ = error.what();
      Trace("could not start: " + last_error_);
    }
    if (!ended && !disk_.crashed()) disk_.CrashNow();  // the rest of a failed process is gone too
    executor_.reset();
    driver_.reset();
    collector_.reset();
    job_state_.reset();
    SetFileFaults(nullptr);
    if (!ended) {
      ++counts_.crashes;
      disk_.ForgetAndRevive();
    }
    return ended;
  }

  bool Live(int parallelism) {
    StateOptions options;
    options.objects = OpenObjectStore(state_, {});
    options.checkpoints.keep = 2 + static_cast<int>(random_() % 3);
    options.checkpoints.merge_files_min = 2;  // small files, so that merges of the newest only come up too
    options.checkpoints.file_bytes_min = 1;
    const JobGraph graph = job_.Graph(parallelism);
    job_state_ = std::make_unique<JobState>(graph, options, &clock_);
    if (job_state_->restored_epoch()) ++counts_.restores;
    Trace(fmt::format("start at parallelism {} from {}", parallelism,
                      job_state_->restored_epoch().value_or(0)));
    collector_ = std::make_unique<DurableCollector>(job_state_->writer());
    ExecutorOptions executor;
    executor.clock = &clock_;
    executor.seed = random_();
    executor.task.messages_per_step = 1;
    executor.task.batch_rows_max = 1 + static_cast<int64_t>(random_() % 40);
    executor.task.snapshot_slice_bytes = 1 + static_cast<int64_t>(random_() % 400);  // one to four entries
    executor.collector = collector_.get();
    executor.restore = job_state_->restore();
    executor.job_id = job_state_->job_id();
    executor.hold_at_end = true;
    completed_.clear();
    finished_ = left_ = false;
    next_checkpoint_us_ = INT64_MAX;
    driver_ = std::make_unique<CheckpointDriver>(job_state_->writer(), &clock_, Job(), DriverOptions());
    executor.on_checkpoint = [this](uint64_t epoch) { driver_->OnSnapshots(epoch); };
    executor.on_all_ended = [this] { driver_->OnAllEnded(); };
    executor_ = std::make_unique<Executor>(graph, executor);
    watermarks_.clear();
    return StepToTheEnd();
  }

  bool StepToTheEnd() {
    const double checkpoint_chance = 0.001 * static_cast<double>(1 + random_() % 20);
    for (int64_t steps = 0; !executor_->done(); ++steps) {
      if (steps > kStepsMax) throw std::runtime_error("the job does not come to an end");
      ++counts_.steps;
      if (Chance(crash_steps_)) {
        Trace("crash");
        disk_.CrashNow();
        return false;
      }
      const bool stepped = executor_->Step();
      if (disk_.crashed()) return false;
      if (!stepped) Idle();
      if (Chance(0.02)) clock_.Advance(static_cast<int64_t>(random_() % 200'000));
      Checkpoints(stepped ? checkpoint_chance : 0.5);
      if (disk_.crashed()) return false;
      if (steps % 16 == 0) CheckWatermarks();
      if (trace_ && steps % 16 == 0) Trace(fmt::format("  activity {:016x}", Digest()));
    }
    const auto result = executor_->result();
    if (result->outcome == JobResult::Outcome::kFinished) {
      try {
        job_state_->writer().RemoveUnnamed();
      } catch (const ExternalError&) {
        ++counts_.failed_operations;
      }
      return !disk_.crashed();
    }
    if (const auto failure = driver_->failure()) {
      Trace("gave up: " + *failure);
      if (failure->find("taken over") != std::string::npos) {
        throw std::runtime_error("the state was taken over, and nobody else runs");
      }
      return false;
    }
    if (left_ && result->outcome == JobResult::Outcome::kStopped) return false;
    if (result->outcome != JobResult::Outcome::kFailed)
      throw std::runtime_error("the job ended in no known way");
    try {
      std::rethrow_exception(result->failure->cause);
    } catch (const ExternalError& error) {
      ++counts_.failed_operations;
      Trace(std::string("failed: ") + error.what());
      if (error.retry() == ExternalError::Retry::kNever && !disk_.crashed()) {
        throw std::runtime_error("failed for good: " + result->failure->message);
      }
    } catch (const std::exception& error) {
      // Arrow tells the disk's failures in its own words.
      if (std::string(error.what()).find("simulat") == std::string::npos && !disk_.crashed()) {
        throw std::runtime_error("failed: " + result->failure->message);
      }
      ++counts_.failed_operations;
    }
    return false;
  }

  /// Nothing can run: flush, or let time pass.
  void Idle() {
    if (executor_->FlushAll()) return;
    const int64_t now = clock_.monotonic_us();
    const int64_t next = std::min(executor_->next_timer_mono_us().value_or(INT64_MAX), next_checkpoint_us_);
    clock_.Set(next > now && next != INT64_MAX ? next : now + 1000);
  }

  CheckpointDriver::Job Job() {
    return {[this](uint64_t epoch, bool hold) {
              Trace(fmt::format("checkpoint {}", epoch));
              return executor_->TriggerCheckpoint(epoch, hold);
            },
            [] { return int64_t{0}; },
            [this](uint64_t epoch) { completed_.push_back(epoch); },
            [this] { finished_ = true; },
            [this] { left_ = true; },
            [this] { executor_->Stop(StopMode::kImmediate); },
            [this] { return ActivityOf(*executor_); }};
  }

  CheckpointDriver::Options DriverOptions() {
    CheckpointDriver::Options options;
    options.interval_us = 1000 << random_() % 16;
    options.on_checkpoint = [this](const CheckpointReport&) { ++counts_.checkpoints; };
    options.on_failed = [this](const CheckpointFailure& failure) {
      ++counts_.failed_operations;
      Trace("checkpoint " + std::to_string(failure.epoch) + " failed: " + failure.message);
    };
    options.on_warning = [this](const std::string& message) {
      ++counts_.failed_operations;
      Trace(message);
    };
    options.wake = [] {};
    return options;
  }

  void Checkpoints(double chance) {
    if (Chance(chance)) driver_->Request(CheckpointKind::kScheduled);
    if (Chance(stop_chance_)) driver_->Leave();
    if (Chance(0.2)) next_checkpoint_us_ = driver_->Step();
    if (Chance(0.05)) driver_->Merge();
    // Completions may come late, and more than once.
    if (!completed_.empty() && Chance(0.3)) {
      executor_->CompleteCheckpoint(completed_.front());
      if (random_() % 4) completed_.erase(completed_.begin());
    }
    if (finished_ || left_) {
      for (const uint64_t epoch : completed_) executor_->CompleteCheckpoint(epoch);
      completed_.clear();
      left_ ? executor_->Leave() : executor_->Finish();
    }
  }

  void CheckWatermarks() {
    for (const SubtaskStatus& status : executor_->Status()) {
      const int64_t now = status.metrics->watermark_us.value();
      int64_t& before = watermarks_.try_emplace({status.node_id, status.subtask}, now).first->second;
      if (now < before) throw std::runtime_error("the watermark of " + status.node->name + " fell");
      before = now;
    }
  }

  /// Of all figures of all subtasks.
  uint64_t Digest() const {
    const std::vector<int64_t> numbers = ActivityOf(*executor_);
    return XXH3_64bits(numbers.data(), numbers.size() * sizeof(int64_t));
  }

  const Plan& plan_;
  const std::string state_;
  std::mt19937_64 random_;
  Disk disk_;
  const TraceFunction trace_;
  const PlannedJob job_;
  ManualClock clock_;
  DiskRates rates_;
  double crash_steps_ = 0;
  double stop_chance_ = 0;
  std::string last_error_;
  RunCounts counts_;

  // Of one life.
  std::unique_ptr<JobState> job_state_;
  std::unique_ptr<DurableCollector> collector_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<CheckpointDriver> driver_;
  int64_t next_checkpoint_us_ = INT64_MAX;
  bool finished_ = false;            // the last checkpoint is durable
  bool left_ = false;                // likewise, of a life that was asked to stop
  std::vector<uint64_t> completed_;  // durable, not yet told
  std::map<std::pair<int, int>, int64_t> watermarks_;
};

void CheckNoLeaks(const std::string& out, const std::string& state) {
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    if (entry.is_regular_file() && entry.path().string().find("/.tmp/") != std::string::npos) {
      throw std::runtime_error("staged file left: " + entry.path().string());
    }
  }
  CheckpointStore store(OpenObjectStore(state, {}));
  std::set<std::string> named;
  for (const uint64_t epoch : store.Epochs()) {
    for (const std::string& wrong : VerifyCheckpoint(store, epoch)) throw std::runtime_error(wrong);
    for (const ManifestFile& file : store.LoadManifest(epoch).files) named.insert(file.name);
  }
  for (const ObjectInfo& object : store.objects().List("data/")) {
    if (!named.count(object.name)) throw std::runtime_error("state file that nothing names: " + object.name);
  }
}

void WriteGzip(const std::string& text, const std::string& path) {
  auto codec = OrThrow(arrow::util::Codec::Create(arrow::Compression::GZIP), "gzip");
  auto file = OrThrow(arrow::io::FileOutputStream::Open(path), path.c_str());
  auto out = OrThrow(arrow::io::CompressedOutputStream::Make(codec.get(), file), path.c_str());
  OrThrow(out->Write(text), path.c_str());
  OrThrow(out->Close(), path.c_str());
}

/// Columns order_id, customer, paid, in row groups of 20 rows.
void WriteParquet(const std::vector<std::array<int64_t, 3>>& rows, const std::string& path) {
  std::array<arrow::Int64Builder, 3> builders;
  for (const auto& row : rows) {
    for (size_t c = 0; c < row.size(); ++c) OrThrow(builders[c].Append(row[c]), path.c_str());
  }
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (const char* name : {"order_id", "customer", "paid"}) {
    columns.push_back(OrThrow(builders[fields.size()].Finish(), path.c_str()));
    fields.push_back(arrow::field(name, arrow::int64()));
  }
  const auto table = arrow::Table::Make(arrow::schema(fields), columns);
  auto file = OrThrow(arrow::io::FileOutputStream::Open(path), path.c_str());
  OrThrow(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, 20), path.c_str());
  OrThrow(file->Close(), path.c_str());
}

/// Changes of accounts: with the images before, and without them.
void WriteAccounts(const std::string& directory, std::mt19937_64& random) {
  std::ofstream whole(directory + "/accounts.json"), after_only(directory + "/accounts_after.json");
  std::map<int, nlohmann::json> state;
  for (int i = 0; i < 200; ++i) {
    const auto customer = static_cast<int>(random() % 12);
    const nlohmann::json before = state.count(customer) ? state[customer] : nlohmann::json();
    nlohmann::json after;
    if (before.is_null() || random() % 5) {
      after = {{"customer", customer},
               {"balance", random() % 100},
               {"town", std::string(1, static_cast<char>('A' + random() % 4))}};
    }
    const char* op = before.is_null() ? "c" : after.is_null() ? "d" : "u";
    whole << nlohmann::json{{"before", before}, {"after", after}, {"op", op}}.dump() << "\n";
    const nlohmann::json key = after.is_null() ? nlohmann::json{{"customer", customer}} : nlohmann::json();
    after_only << nlohmann::json{{"before", key}, {"after", after}, {"op", op}}.dump() << "\n";
    after.is_null() ? static_cast<void>(state.erase(customer)) : static_cast<void>(state[customer] = after);
  }
}

}  // namespace

Plan LoadPlan(const std::string& path) {
  Plan plan;
  plan.name = fs::path(path).stem().string();
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  plan.sql = text.str();
  for (const std::string& line : LinesOf(plan.sql, path)) {
    const auto value = [&](const std::string& start) {
      return line.compare(0, start.size(), start) == 0 ? line.substr(start.size()) : std::string();
    };
    std::stringstream keys(value("-- fold: "));
    for (std::string key; std::getline(keys, key, ',');)
      plan.fold_keys.push_back(key.substr(key.find_first_not_of(' ')));
    if (const std::string number = value("-- parallelism: "); !number.empty())
      plan.parallelism = std::stoi(number);
  }
  return plan;
}

void WriteInputs(const std::string& directory, uint64_t number) {
  std::mt19937_64 random(number);
  fs::create_directories(directory + "/orders");
  fs::create_directories(directory + "/broken");
  fs::create_directories(directory + "/payments");
  std::vector<std::ofstream> orders;
  for (int i = 0; i < 3; ++i) orders.emplace_back(fmt::format("{}/orders/part-{}.json", directory, i));
  std::ofstream payments(directory + "/payments.json");
  std::ofstream broken(directory + "/broken/orders.json");
  std::string payments_csv = "order_id,customer,paid,ts\n";
  std::vector<std::array<int64_t, 3>> payment_rows;
  std::set<int64_t> used;
  int64_t now_ms = 0;
  for (int id = 0; id < 250; ++id) {
    now_ms += static_cast<int64_t>(random() % 4000);
    int64_t ts = now_ms + static_cast<int64_t>(random() % 3000);
    while (!used.insert(ts).second) ++ts;  // no ties: their order is not part of any answer
    const auto customer = static_cast<int>(random() % 6);
    const auto amount = static_cast<int>(random() % 50);
    orders[random() % orders.size()] << fmt::format(
        "{{\"id\":{},\"customer\":{},\"amount\":{},\"ts\":\"{}\"}}\n", id, customer, amount, TimeText(ts));
    broken << fmt::format("{{\"id\":{},\"customer\":{},\"amount\":{}}}\n", id, customer,
                          random() % 5 ? std::to_string(amount) : "\"many\"");
    if (random() % 4 == 0) continue;
    const auto paid = static_cast<int>(random() % 9);
    const std::string paid_ts = TimeText(ts + 3000 + static_cast<int64_t>(random() % 2000));
    payments << fmt::format("{{\"order_id\":{},\"customer\":{},\"paid\":{},\"ts\":\"{}\"}}\n", id, customer,
                            paid, paid_ts);
    payments_csv += fmt::format("{},{},{},{}\n", id, customer, paid, paid_ts);
    payment_rows.push_back({id, customer, paid});
  }
  WriteGzip(payments_csv, directory + "/payments.csv.gz");
  WriteParquet(payment_rows, directory + "/payments/part-0.parquet");
  WriteAccounts(directory, random);
}

Rows ReadOutput(const std::string& directory, const Plan& plan) {
  Rows rows;
  for (const auto& entry : fs::recursive_directory_iterator(directory)) {
    const std::string path = entry.path().string();
    if (!entry.is_regular_file() || path.find("/.tmp/") != std::string::npos) continue;
    const std::string sink = entry.path().lexically_relative(directory).begin()->string();
    const auto lines =
        entry.path().extension() == ".parquet" ? ParquetRows(path) : LinesOf(ReadText(path), path);
    if (!plan.fold_keys.empty()) {
      for (const auto& [row, count] : Fold(lines, plan.fold_keys)) rows[sink + ": " + row] += count;
    } else {
      for (const std::string& line : lines) ++rows[sink + ": " + line];
    }
  }
  return rows;
}

void RunUndisturbed(const Plan& plan, const std::string& in, const std::string& out) {
  ExecutorOptions options;
  options.worker_threads = 1;
  Executor executor(PlanJob(plan, in, out).Graph(plan.parallelism > 0 ? plan.parallelism : 1), options);
  const JobResult result = executor.Run();
  if (result.outcome != JobResult::Outcome::kFinished)
    throw std::runtime_error(plan.name + ": " + result.failure->message);
}

RunCounts RunDisturbed(const Plan& plan, const std::string& in, const std::string& out,
                       const std::string& state, const std::string& disk_root, uint64_t seed,
                       const TraceFunction& trace) {
  const RunCounts counts = Disturbed(plan, in, out, state, disk_root, seed, trace).Run();
  CheckNoLeaks(out, state);
  return counts;
}

}  // namespace laminar::sim
