#include "connectors/generators/generator_source.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"

namespace laminar {

namespace {

/// Slow sources gather rows this long instead of sending them one by one; the latency budget of a batch.
constexpr int64_t kGatherUs = 10'000;

struct Split {
  int index = 0;
  int64_t counter = 0;
  int64_t start_us = 0;
  int64_t first_counter = 0;  // when this run began: what the rate counts from
  bool announced = false;
  bool finished = false;
};

class GeneratorSource final : public Source {
 public:
  explicit GeneratorSource(GeneratorSpec spec) : spec_(std::move(spec)) {}

  void Open(const SourceContext& context) override {
    Source::Open(context);
    generator_ = spec_.make();
    opened_us_ = context.clock->monotonic_us();
    if (splits_ == 0) splits_ = context.parallelism;
    for (int index = context.subtask; index < splits_; index += context.parallelism) {
      Split split;
      split.index = index;
      split.start_us = context.clock->now_us();
      for (const Split& restored : restored_) {
        if (restored.index == index) split = restored;
      }
      split.first_counter = split.counter;
      mine_.push_back(split);
    }
  }

  PollResult Poll(Output& out) override {
    if (mine_.empty()) return PollResult::kEnd;
    const int64_t now_us = context_.clock->monotonic_us();
    for (size_t i = 0; i < mine_.size(); ++i) {
      next_split_ = (next_split_ + 1) % mine_.size();
      Split& split = mine_[next_split_];
      if (!Announce(split, out)) continue;
      const int64_t rows = RowsDue(split, now_us);
      if (rows > 0) {
        Emit(split, rows, out);
        return PollResult::kMore;
      }
      if (Remaining(split, now_us) == 0) Finish(split, out);
    }
    const bool end =
        std::all_of(mine_.begin(), mine_.end(), [](const Split& split) { return split.finished; });
    return end ? PollResult::kEnd : PollResult::kWaiting;
  }

  std::optional<int64_t> next_poll_us() const override {
    if (spec_.rows_per_second <= 0) return std::nullopt;
    const int64_t now_us = context_.clock->monotonic_us();
    int64_t wait_us = INT64_MAX;
    for (const Split& split : mine_) {
      if (split.finished) continue;
      const double next = static_cast<double>(split.counter - split.first_counter) / SplitRate() * 1e6;
      wait_us = std::min(wait_us, opened_us_ + static_cast<int64_t>(std::ceil(next)) - now_us);
    }
    if (wait_us == INT64_MAX) return std::nullopt;
    if (spec_.runtime_us > 0) wait_us = std::min(wait_us, opened_us_ + spec_.runtime_us - now_us);
    return context_.clock->now_us() + std::max(wait_us, kGatherUs);
  }

  void Snapshot(SnapshotWriter& writer) override {
    StateWriter& table = writer.Table("splits");
    for (const Split& split : mine_) {
      table.Put(kEverySubtask, std::to_string(split.index) + "/" + std::to_string(splits_),
                std::to_string(split.counter) + " " + std::to_string(split.start_us));
    }
  }

  void Restore(const SnapshotReader& reader) override {
    reader.ForEach("splits", [&](const StateEntry& entry) {
      Split split;
      int64_t splits = 0;
      int64_t index = 0;
      const bool read = ReadTwo(entry.key, '/', &index, &splits) &&
                        ReadTwo(entry.value, ' ', &split.counter, &split.start_us);
      LAMINAR_CHECK(read, "position of generator '" + std::string(entry.key) + "' cannot be read");
      split.index = static_cast<int>(index);
      splits_ = static_cast<int>(splits);
      restored_.push_back(split);
    });
  }

 private:
  static bool ReadTwo(std::string_view text, char between, int64_t* a, int64_t* b) {
    const size_t at = text.find(between);
    if (at == std::string_view::npos) return false;
    const auto first = std::from_chars(text.data(), text.data() + at, *a);
    const auto second = std::from_chars(text.data() + at + 1, text.data() + text.size(), *b);
    return first.ec == std::errc() && second.ec == std::errc();
  }

  double SplitRate() const { return spec_.rows_per_second / splits_; }

  /// False for a split that has finished.
  static bool Announce(Split& split, Output& out) {
    if (split.finished) return false;
    if (!split.announced) {
      out.EmitSplit({split.index, SplitEvent::Kind::kStarted, std::to_string(split.index)});
    }
    split.announced = true;
    return true;
  }

  static void Finish(Split& split, Output& out) {
    split.finished = true;
    out.EmitSplit({split.index, SplitEvent::Kind::kFinished, std::to_string(split.index)});
  }

  /// Rows that the split may still make, now or later.
  int64_t Remaining(const Split& split, int64_t now_us) const {
    if (spec_.runtime_us > 0 && now_us - opened_us_ >= spec_.runtime_us) return 0;
    if (!spec_.row_count) return INT64_MAX;
    return std::max<int64_t>(0, spec_.row_count(split.index, splits_) - split.counter);
  }

  int64_t RowsDue(const Split& split, int64_t now_us) const {
    int64_t rows = std::min(context_.batch_rows_max, Remaining(split, now_us));
    if (spec_.rows_per_second > 0) {
      // The first row of a split is due at once, the next one interval later.
      const double elapsed_s = static_cast<double>(now_us - opened_us_) / 1e6;
      const auto due = static_cast<int64_t>(std::floor(elapsed_s * SplitRate() + 1e-9)) + 1;
      rows = std::min(rows, due - (split.counter - split.first_counter));
    }
    return std::max<int64_t>(rows, 0);
  }

  void Emit(Split& split, int64_t rows, Output& out) {
    Batch batch = generator_->Generate(
        {split.index, splits_, split.counter, rows, split.start_us, context_.clock->now_us()});
    batch.split = split.index;
    split.counter += rows;
    out.Emit(std::move(batch));
  }

  const GeneratorSpec spec_;
  std::unique_ptr<RowGenerator> generator_;
  int splits_ = 0;  // of the first start; 0: not known yet
  std::vector<Split> restored_;
  std::vector<Split> mine_;
  size_t next_split_ = 0;
  int64_t opened_us_ = 0;
};

}  // namespace

std::unique_ptr<Source> MakeGeneratorSource(GeneratorSpec spec) {
  return std::make_unique<GeneratorSource>(std::move(spec));
}

int64_t ShareOf(int64_t total, int split, int splits) { return (total - split + splits - 1) / splits; }

}  // namespace laminar
