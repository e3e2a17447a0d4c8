#include "cli/sql_test/test_runner.h"

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/scalar.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "base/arrow_result.h"
#include "base/name.h"
#include "cli/sql_test/test_input.h"
#include "jobs/engine.h"
#include "register_all.h"
#include "runtime/executor.h"
#include "sql/planner.h"

namespace laminar::cli {

namespace {

using Verb = TestStep::Verb;

/// A row that came out, as words.
struct OutputRow {
  int weight;
  std::string text;
};

/// `'quoted'` where a word would not read back as it is.
std::string QuoteWord(const std::string& word) {
  const bool plain = !word.empty() && word != "NULL" && word.find_first_of(" \t\n'#") == std::string::npos;
  if (plain) return word;
  std::string out = "'";
  for (char c : word) {
    if (c == '\'') out.push_back('\'');
    out.push_back(c);
  }
  return out + "'";
}

/// Times on the first day of 1970 are shown and written without their date.
std::string ShortenTime(const std::string& text) {
  return text.size() > 11 && text.starts_with("1970-01-01") && (text[10] == ' ' || text[10] == 'T')
             ? text.substr(11)
             : text;
}

std::vector<OutputRow> RowTexts(const Batch& batch, const Schema& columns) {
  std::vector<OutputRow> out(static_cast<size_t>(batch.num_rows));
  const EvalContext context;
  for (int c = 0; c < columns.num_columns(); ++c) {
    const Field& field = columns.fields[c];
    auto array =
        EvaluateToArray(*MakeCast(MakeColumn(c, field.name, field.type), Type::Text()), batch, context);
    const auto& text = static_cast<const arrow::StringArray&>(*array);
    for (int64_t row = 0; row < batch.num_rows; ++row) {
      std::string word = text.IsNull(row) ? "NULL" : text.GetString(row);
      if (field.type.is_timestamp()) word = ShortenTime(word);
      if (!text.IsNull(row)) word = QuoteWord(word);
      std::string& line = out[static_cast<size_t>(row)].text;
      line += (line.empty() ? "" : " ") + word;
    }
  }
  for (int64_t row = 0; row < batch.num_rows; ++row) out[static_cast<size_t>(row)].weight = batch.weight(row);
  return out;
}

struct Collected {
  std::vector<OutputRow> rows;
};

class CollectingSink final : public Sink {
 public:
  CollectingSink(std::shared_ptr<Collected> into, Schema columns)
      : into_(std::move(into)), columns_(std::move(columns)) {}
  void Write(const Batch& batch) override {
    for (OutputRow& row : RowTexts(batch, columns_)) into_->rows.push_back(std::move(row));
  }

 private:
  std::shared_ptr<Collected> into_;
  Schema columns_;
};

class TestRun {
 public:
  TestRun(const TestFile& file, const TestConfig& config)
      : file_(file), config_(config), parallelism_(config.parallelism) {}

  TestOutcome Run() {
    outcome_.bodies.resize(file_.steps.size());
    try {
      RunSteps();
    } catch (const std::exception& error) {
      Fail(current_ ? current_->line : 1, error.what());
    }
    return std::move(outcome_);
  }

 private:
  void Fail(int line, const std::string& what) {
    if (!outcome_.passed) return;
    outcome_.passed = false;
    outcome_.message = file_.path + ":" + std::to_string(line) + ": [" + config_.ToString() + "] " + what;
  }

  void RunSteps() {
    Plan();
    if (script_.errors.empty() && HasStep(Verb::kError)) {
      const TestStep& step = *std::find_if(file_.steps.begin(), file_.steps.end(),
                                           [](const TestStep& s) { return s.verb == Verb::kError; });
      Fail(step.line, "the script was accepted");
      return;
    }
    if (!script_.errors.empty() && !HasStep(Verb::kError)) {
      Fail(file_.sql_line,
           "the script was refused:\n" + RenderError(script_.errors[0], file_.path, file_.sql));
      return;
    }
    if (script_.errors.empty() && !script_.outputs.empty()) StartExecutor(nullptr);
    for (size_t i = 0; i < file_.steps.size(); ++i) {
      current_ = &file_.steps[i];
      RunStep(i);
      if (!outcome_.passed) return;
      const bool moves = current_->verb == Verb::kInput || current_->verb == Verb::kWatermark ||
                         current_->verb == Verb::kExpect || current_->verb == Verb::kClock;
      if (!moves || !executor_ || executor_->done()) continue;
      if (config_.ahead && (!older_ || current_->verb == Verb::kExpect)) {
        Barrier();
        older_ = collector_->complete();
      } else if (config_.restarts) {
        Restart(parallelism_ == 1 ? 3 : 1);
      }
    }
    CheckFailure();
  }

  bool HasStep(Verb verb) const {
    return std::any_of(file_.steps.begin(), file_.steps.end(),
                       [verb](const TestStep& s) { return s.verb == verb; });
  }

  void Plan() {
    const Registries& registries = AllRegistries();
    sql::BinderOptions options;
    options.functions = &registries.functions;
    options.formats = &registries.formats;
    options.connectors = &registries.connectors;
    options.memory_tables_are_inputs = true;
    for (const TestStep& step : file_.steps) {
      if (step.verb != Verb::kInput) continue;
      for (const TestRow& row : step.rows) {
        if (row.weight < 0) options.changelog_inputs.insert(FoldName(step.words[0]));
      }
    }
    script_ = sql::PlanScript(file_.sql, options);
  }

  std::shared_ptr<InputLog> Log(const std::string& table) {
    auto& log = logs_[FoldName(table)];
    if (!log) log = std::make_shared<InputLog>();
    log->batch_rows = config_.batch_rows;
    return log;
  }

  void StartExecutor(const JobSnapshot* from) {
    const Registries& registries = AllRegistries();
    sql::PhysicalOptions physical;
    physical.parallelism = parallelism_;
    physical.formats = &registries.formats;
    physical.functions = &registries.functions;
    physical.preview = [this](const Schema& columns, bool, int number) {
      if (static_cast<int>(collected_.size()) <= number) collected_.push_back(std::make_shared<Collected>());
      sql::PreviewSink sink;
      sink.make = [into = collected_[static_cast<size_t>(number)], columns] {
        return std::make_unique<CollectingSink>(into, columns);
      };
      return sink;
    };
    physical.test_input = [this](const std::string& table, const Schema& columns) {
      auto log = Log(table);
      log->columns = columns;
      return MakeLogSource(log);
    };
    // Columns must be known before rows are parsed, so the inputs are looked up when the graph is made, not
    // when it runs.
    JobGraph graph = sql::MakeJobGraph(script_, physical);
    collector_ = from ? std::make_unique<MemoryCollector>(*from) : std::make_unique<MemoryCollector>();
    ExecutorOptions options;
    options.clock = &clock_;
    options.seed = config_.seed;
    options.collector = collector_.get();
    if (const auto us = script_.settings.updating_flush_interval_us) options.task.flush_interval_us = *us;
    options.task.batch_rows_max = config_.batch_rows;
    options.task.snapshot_slice_bytes = 1;  // an entry at a time
    if (from) options.restore = RestoreFrom(*from);
    StateMemoryOptions memory = StateMemoryOf(script_.settings);
    if (config_.state_on_disk) memory = {StateBackend::kDisk, 1 << 20, memory.directory, {}};
    ConfigureStateMemory(memory);
    executor_ = std::make_unique<Executor>(std::move(graph), options);
    if (from && older_) {  // as a rescale of the server does: an older checkpoint, and what came since
      executor_->RestoreAhead(RestoreFrom(*older_), 1);
      const auto changes = [older = *older_, newer = *from](const std::string& operator_id,
                                                            KeyGroupRange range) mutable {
        return ChangesBetween(older[operator_id], newer[operator_id], range);
      };
      executor_->UseState(collector_.get(), options.restore, changes, "");
    }
    older_.reset();
    Settle();
  }

  void Settle() {
    // The rows find a snapshot that is not whole yet.
    if (config_.restarts) epoch_ += executor_->TriggerCheckpoint(epoch_ + 1);
    for (auto& [name, log] : logs_) {
      if (log->wake) log->wake();
    }
    executor_->RunUntilIdle(kStepsMax);
  }

  void CheckFailure() {
    if (!executor_ || failure_expected_) return;
    const auto result = executor_->result();
    if (result && result->outcome == JobResult::Outcome::kFailed) {
      Fail(current_ ? current_->line : 1,
           "the job failed: " + result->failure->message + " (in " + result->failure->operator_name + ")");
    }
  }

  void Barrier() {
    if (!executor_->TriggerCheckpoint(++epoch_)) throw std::runtime_error("the job takes no checkpoint now");
    executor_->RunUntilIdle(kStepsMax);
    executor_->CompleteCheckpoint(epoch_);
    executor_->RunUntilIdle(kStepsMax);
  }

  void Restart(int parallelism) {
    Barrier();
    Rebuild(parallelism);
  }

  void Rebuild(int parallelism) {
    const JobSnapshot snapshot = collector_->complete();
    for (auto& [name, log] : logs_) log->wake = nullptr;
    executor_.reset();
    parallelism_ = parallelism;
    StartExecutor(&snapshot);
  }

  /// Rows of an input step, in the columns that the plan reads, in its order.
  Batch MakeRows(const TestStep& step, const Schema& wanted) {
    const sql::TableDefinition* table = FindTable(step.words[0]);
    const Schema& declared = table ? table->spec.columns : wanted;
    Batch batch;
    batch.num_rows = static_cast<int64_t>(step.rows.size());
    std::vector<int32_t> weights;
    bool weighted = false;
    for (const TestRow& row : step.rows) {
      if (static_cast<int>(row.words.size()) != declared.num_columns()) {
        throw std::runtime_error("line " + std::to_string(row.line) + " has " +
                                 std::to_string(row.words.size()) + " values, table '" + step.words[0] +
                                 "' has " + std::to_string(declared.num_columns()) + " columns");
      }
      weights.push_back(row.weight);
      weighted = weighted || row.weight != 1;
    }
    for (const Field& field : wanted.fields) {
      const int index = declared.IndexOf(field.name);
      if (index < 0) {  // the arrival time of a table that declares no event time
        auto now = std::make_shared<arrow::TimestampScalar>(clock_.now_us(), Type::Timestamp().arrow_type());
        batch.columns.push_back(EvaluateToArray(*MakeLiteral(now, Type::Timestamp()), batch, EvalContext{}));
        continue;
      }
      const Type& type = declared.fields[index].type;
      arrow::StringBuilder builder;
      for (const TestRow& row : step.rows) {
        std::string word = row.words[static_cast<size_t>(index)];
        if (word == "NULL" && !row.quoted[static_cast<size_t>(index)]) {
          OrThrow(builder.AppendNull());
          continue;
        }
        if (type.is_timestamp() && word.size() >= 8 && word[2] == ':') word = "1970-01-01 " + word;
        OrThrow(builder.Append(word));
      }
      Batch texts;
      texts.num_rows = batch.num_rows;
      texts.columns = {OrThrow(builder.Finish())};
      ExpressionPtr value = MakeCast(MakeColumn(0, field.name, Type::Text()), type);
      if (type != field.type) value = Narrow(value, type, field.type);
      batch.columns.push_back(EvaluateToArray(*value, texts, EvalContext{}));
    }
    if (weighted) batch.weights = MakeWeights(weights);
    return batch;
  }

  /// The fields of a STRUCT that the plan kept.
  static ExpressionPtr Narrow(const ExpressionPtr& value, const Type& from, const Type& to) {
    std::vector<ExpressionPtr> parts;
    for (const Field& field : to.fields()) {
      const int index = from.FieldIndex(field.name);
      ExpressionPtr part = MakeFieldAccess(value, index);
      if (from.fields()[index].type != field.type) part = Narrow(part, from.fields()[index].type, field.type);
      parts.push_back(part);
    }
    return MakeStruct(std::move(parts), to);
  }

  const sql::TableDefinition* FindTable(const std::string& name) const {
    const sql::TableDefinition* found = nullptr;
    std::set<const sql::LogicalNode*> seen;
    std::function<void(const sql::NodePtr&)> visit = [&](const sql::NodePtr& node) {
      if (!seen.insert(node.get()).second) return;
      if (node->table && FoldName(node->table->name) == FoldName(name)) found = node->table.get();
      for (const sql::NodePtr& input : node->inputs) visit(input);
    };
    for (const auto& output : script_.outputs) visit(output.node);
    return found;
  }

  void RunStep(size_t index) {
    const TestStep& step = file_.steps[index];
    switch (step.verb) {
      case Verb::kInput: {
        auto log = logs_.find(FoldName(step.words[0]));
        if (log == logs_.end())
          throw std::runtime_error("no input table '" + step.words[0] + "' is read by the script");
        log->second->events.push_back({InputEvent::Kind::kRows, MakeRows(step, log->second->columns), 0});
        Settle();
        break;
      }
      case Verb::kWatermark:
        Event(step, {InputEvent::Kind::kWatermark, {}, ParseTime(step)});
        break;
      case Verb::kIdle:
        Event(step, {InputEvent::Kind::kIdle, {}, 0});
        break;
      case Verb::kEnd:
        for (auto& [name, log] : logs_) log->events.push_back({InputEvent::Kind::kEnd, {}, 0});
        Settle();
        break;
      case Verb::kClock: {
        std::string text;
        for (const std::string& word : step.words) {
          if (word != "+") text += word + " ";
        }
        const auto us = ParseDurationUs(text);
        if (!us) throw std::runtime_error("'clock' takes a length of time");
        clock_.Advance(*us);
        executor_->RunUntilIdle(kStepsMax);
        break;
      }
      case Verb::kBarrier:
        Barrier();
        break;
      case Verb::kCrash:
        for (auto& output : collected_) output->rows.clear();
        Rebuild(parallelism_);
        break;
      case Verb::kRescale:
        Restart(std::stoi(step.words[0]));
        break;
      case Verb::kExpect:
        Expect(step, index);
        break;
      case Verb::kMetric:
        Metric(step);
        break;
      case Verb::kError:
        Error(step);
        break;
      case Verb::kFails:
        Fails(step);
        break;
      case Verb::kExplain:
        Explain(step, index);
        break;
      case Verb::kWarning: {
        const bool found = std::any_of(script_.warnings.begin(), script_.warnings.end(),
                                       [&](const sql::Warning& w) { return w.code == step.words[0]; });
        if (!found) Fail(step.line, "no warning " + step.words[0]);
        break;
      }
    }
  }

  void Event(const TestStep& step, InputEvent event) {
    auto log = logs_.find(FoldName(step.words[0]));
    if (log == logs_.end())
      throw std::runtime_error("no input table '" + step.words[0] + "' is read by the script");
    log->second->events.push_back(std::move(event));
    Settle();
  }

  static int64_t ParseTime(const TestStep& step) {
    std::string word = step.words[1];
    if (step.words.size() > 2) word += " " + step.words[2];
    if (word.size() >= 8 && word[2] == ':') word = "1970-01-01 " + word;
    auto value = FoldConstant(*MakeCast(MakeText(word), Type::Timestamp()));
    if (!value || !value->is_valid) throw std::runtime_error("'" + word + "' is not a time");
    return static_cast<const arrow::TimestampScalar&>(*value).value;
  }

  /// Output since the last expect.
  std::vector<OutputRow> TakeOutput() {
    std::vector<OutputRow> out;
    for (auto& output : collected_) {
      for (OutputRow& row : output->rows) out.push_back(std::move(row));
      output->rows.clear();
    }
    return out;
  }

  static std::vector<std::string> Consolidate(const std::vector<OutputRow>& rows) {
    std::map<std::string, int> weights;
    for (const OutputRow& row : rows) weights[row.text] += row.weight;
    std::vector<std::string> out;
    for (int sign : {-1, 1}) {
      for (const auto& [text, weight] : weights) {
        for (int i = 0; i < weight * sign; ++i) out.push_back((sign > 0 ? "+ " : "- ") + text);
      }
    }
    return out;
  }

  void Expect(const TestStep& step, size_t index) {
    CheckFailure();
    if (!outcome_.passed) return;
    std::vector<OutputRow> expected;
    for (const TestRow& row : step.rows) {
      std::string text;
      for (size_t i = 0; i < row.words.size(); ++i) {
        const bool null = row.words[i] == "NULL" && !row.quoted[i];
        text += (i ? " " : "") + (null ? "NULL" : QuoteWord(ShortenTime(row.words[i])));
      }
      expected.push_back({row.weight, text});
    }
    const std::vector<OutputRow> actual = TakeOutput();
    std::vector<std::string> want, have;
    if (step.exact) {
      auto lines = [](const std::vector<OutputRow>& rows) {
        std::vector<std::string> out;
        for (const OutputRow& row : rows) {
          for (int i = 0; i < std::abs(row.weight); ++i)
            out.push_back((row.weight > 0 ? "+ " : "- ") + row.text);
        }
        return out;
      };
      want = lines(expected);
      have = lines(actual);
    } else {
      want = Consolidate(expected);
      have = Consolidate(actual);
    }
    if (want == have) return;
    outcome_.bodies[index] = {true, have};
    std::string message = "expected";
    for (const std::string& line : want) message += "\n    " + line;
    if (want.empty()) message += " nothing";
    message += "\n  but got";
    for (const std::string& line : have) message += "\n    " + line;
    if (have.empty()) message += " nothing";
    FailButGoOn(step.line, message);
  }

  /// A difference that --rewrite would mend: the other steps still run.
  void FailButGoOn(int line, const std::string& what) {
    if (first_difference_.empty())
      first_difference_ = file_.path + ":" + std::to_string(line) + ": [" + config_.ToString() + "] " + what;
    outcome_.message = first_difference_;
    different_ = true;
  }

  void Metric(const TestStep& step) {
    int64_t sum = 0;
    const std::string& name = step.words[0];
    for (const SubtaskStatus& status : executor_->Status()) {
      const OperatorMetrics& m = *status.metrics;
      if (name == "late_rows" || name == "late_records")
        sum += m.late_rows.value();
      else if (name == "bad_records")
        sum += m.bad_records.value();
      else if (name == "expired_keys")
        sum += m.expired_keys.value();
      else if (name == "state_rows")
        sum += m.state_rows.value();
      else
        throw std::runtime_error("no metric '" + name + "'");
    }
    // A restart starts the counters again; the steps before it are not in them.
    if (config_.restarts) return;
    if (std::to_string(sum) != step.words[1])
      Fail(step.line, "metric " + name + " is " + std::to_string(sum));
  }

  void Error(const TestStep& step) {
    size_t next = 1;
    std::string at;
    if (step.words.size() > 2 && step.words[1] == "at") {
      at = step.words[2];
      next = 3;
    }
    std::string text;
    for (size_t i = next; i < step.words.size(); ++i) text += (text.empty() ? "" : " ") + step.words[i];
    std::string seen;
    for (const UserError& error : script_.errors) {
      const LineColumn position = LocateOffset(file_.sql, std::max<int64_t>(0, error.span().offset));
      const std::string where =
          error.span().known() ? std::to_string(position.line) + ":" + std::to_string(position.column) : "?";
      const bool same =
          ReasonName(error.reason()) == step.words[0] && (at.empty() || at == where) &&
          (error.message().find(text) != std::string::npos || error.hint().find(text) != std::string::npos);
      if (same) return;
      seen += "\n    " + std::string(ReasonName(error.reason())) + " at " + where + " " + error.message() +
              (error.hint().empty() ? "" : " (hint: " + error.hint() + ")");
    }
    Fail(step.line, "the errors are" + seen);
  }

  void Fails(const TestStep& step) {
    failure_expected_ = true;
    std::string text;
    for (const std::string& word : step.words) text += (text.empty() ? "" : " ") + word;
    const auto result = executor_->result();
    if (!result || result->outcome != JobResult::Outcome::kFailed) {
      Fail(step.line, "the job has not failed");
    } else if (result->failure->message.find(text) == std::string::npos) {
      Fail(step.line, "the job failed with: " + result->failure->message);
    }
  }

  void Explain(const TestStep& step, size_t index) {
    std::string plan;
    for (const auto& output : script_.outputs) plan += sql::ToString(*output.node);
    std::vector<std::string> have;
    std::string line;
    for (char c : plan) {
      if (c == '\n')
        have.push_back(std::move(line)), line.clear();
      else
        line.push_back(c);
    }
    if (have == step.lines) return;
    outcome_.bodies[index] = {true, have};
    FailButGoOn(step.line, "the plan is\n" + plan);
  }

 public:
  bool different() const { return different_; }

 private:
  static constexpr int64_t kStepsMax = 1'000'000;

  const TestFile& file_;
  const TestConfig config_;
  int parallelism_;
  sql::PlannedScript script_;
  ManualClock clock_{0};
  std::map<std::string, std::shared_ptr<InputLog>> logs_;
  std::vector<std::shared_ptr<Collected>> collected_;
  std::unique_ptr<MemoryCollector> collector_;
  std::optional<JobSnapshot> older_;  // of this executor: the next one restores it ahead
  std::unique_ptr<Executor> executor_;
  uint64_t epoch_ = 0;
  const TestStep* current_ = nullptr;
  bool failure_expected_ = false;
  bool different_ = false;
  std::string first_difference_;
  TestOutcome outcome_;
};

}  // namespace

std::string TestConfig::ToString() const {
  return "batch " + std::to_string(batch_rows) + ", parallelism " + std::to_string(parallelism) +
         (ahead      ? ", restarts from an older checkpoint and its changes"
          : restarts ? ", restarts"
                     : "");
}

std::vector<TestConfig> MatrixConfigs() {
  std::vector<TestConfig> out;
  for (const int64_t batch : {8192, 3, 1}) {
    for (const int parallelism : {1, 4}) {
      const auto seed = static_cast<uint64_t>(batch * 10 + parallelism);
      for (const auto& [restarts, ahead] : {std::pair(false, false), {true, false}, {true, true}})
        out.push_back({batch, parallelism, restarts, ahead, seed});
    }
  }
  return out;
}

TestOutcome RunTest(const TestFile& file, const TestConfig& config) {
  TestRun run(file, config);
  TestOutcome outcome = run.Run();
  if (run.different()) outcome.passed = false;
  return outcome;
}

}  // namespace laminar::cli
