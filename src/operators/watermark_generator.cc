#include "operators/watermark_generator.h"

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/arrow_result.h"
#include "operators/split_watermarks.h"

namespace laminar {

namespace {

constexpr int64_t kShowIntervalUs = 500'000;
constexpr size_t kShownSplitsMax = 200;
constexpr char kTable[] = "split_watermarks";
/// The key that holds what was sent; split names have '/' after the subtask, so it clashes with none.
constexpr char kSentKey[] = "sent";

/// Timestamps of any unit as µs, rounded towards −∞ (a watermark must not promise more than was seen).
class TimesUs {
 public:
  explicit TimesUs(const arrow::Array& column)
      : values_(column.data()->GetValues<int64_t>(1)),
        unit_(static_cast<const arrow::TimestampType&>(*column.type()).unit()) {}
  int64_t raw(int64_t row) const { return values_[row]; }
  int64_t ToUs(int64_t raw) const {
    switch (unit_) {
      case arrow::TimeUnit::NANO:
        return raw / 1000 - (raw % 1000 < 0 ? 1 : 0);
      case arrow::TimeUnit::MICRO:
        return raw;
      case arrow::TimeUnit::MILLI:
        return Saturating(raw, 1000);
      case arrow::TimeUnit::SECOND:
        return Saturating(raw, 1'000'000);
    }
    return raw;
  }
  /// The highest value that is no NULL, in µs; kMinWatermark when all are.
  int64_t Max(const arrow::Array& column) const {
    int64_t highest = kMinWatermark;
    if (column.null_count() == 0) {
      for (int64_t row = 0; row < column.length(); ++row) highest = std::max(highest, values_[row]);
    } else {
      for (int64_t row = 0; row < column.length(); ++row) {
        if (column.IsValid(row)) highest = std::max(highest, values_[row]);
      }
    }
    return highest == kMinWatermark ? highest : ToUs(highest);
  }

 private:
  static int64_t Saturating(int64_t raw, int64_t factor) {
    int64_t product;
    if (__builtin_mul_overflow(raw, factor, &product)) return raw < 0 ? kMinWatermark + 1 : kMaxWatermark - 1;
    return product;
  }
  const int64_t* values_;
  const arrow::TimeUnit::type unit_;
};

std::string SavedBytes(SplitWatermarks::Saved saved) {
  std::string bytes(sizeof(int64_t) + 1, '\0');
  std::memcpy(bytes.data(), &saved.watermark_us, sizeof(int64_t));
  bytes.back() = saved.idle ? 1 : 0;
  return bytes;
}

SplitWatermarks::Saved ParseSaved(std::string_view bytes) {
  LAMINAR_CHECK(bytes.size() == sizeof(int64_t) + 1, "state of a watermark generator");
  SplitWatermarks::Saved saved;
  std::memcpy(&saved.watermark_us, bytes.data(), sizeof(int64_t));
  saved.idle = bytes.back() != 0;
  return saved;
}

class WatermarkGenerator final : public Operator {
 public:
  explicit WatermarkGenerator(WatermarkOptions options)
      : options_(std::move(options)),
        splits_(options_.idle_time_us),
        bad_(options_.bad_data, options_.source_name) {}

  std::vector<StateTableSpec> state_tables() const override {
    return {{kTable,
             1,
             "TEXT -> watermark BIGINT, idle BOOLEAN",
             {StatePart::Text("split")},
             {StatePart::Plain({{"watermark", Type::Timestamp()}, {"idle", Type::Boolean()}})}}};
  }

  void Open(const OperatorContext& context) override {
    Operator::Open(context);
    bad_.Open(context_);
    ForgetOthersEntries();
  }

  void OnBatch(int, Batch batch, Output& out) override {
    const int64_t now_us = context_.clock->now_us();
    started_ = true;
    splits_.Expire(now_us);
    splits_.Touch(batch.split, now_us);
    SendIdle(out);
    if (KeepGood(&batch, now_us, out)) {
      splits_.Advance(batch.split, WatermarkOf(batch, now_us));
      out.Emit(std::move(batch));
    }
    SendWatermark(out);
    ShowSplits(now_us);
  }

  void OnSplit(const SplitEvent& event, Output& out) override {
    switch (event.kind) {
      case SplitEvent::Kind::kStarted:
        started_ = true;
        splits_.Start(event.split, event.name, context_.clock->now_us());
        break;
      case SplitEvent::Kind::kFinished:
        splits_.Finish(event.split);
        break;
      case SplitEvent::Kind::kIdle:
        splits_.MarkIdle(event.split);
        break;
    }
    SendWatermark(out);
    SendIdle(out);
    next_show_us_ = 0;
    ShowSplits(context_.clock->now_us());
  }

  void OnIdle(bool idle, Output& out) override {
    input_idle_ = idle;
    SendIdle(out);
  }

  void OnWatermark(int64_t watermark_us, Output& out) override {
    given_us_ = std::max(given_us_, watermark_us);
    SendWatermark(out);
  }

  void OnTimer(int64_t now_us, Output& out) override {
    splits_.Expire(now_us);
    SendWatermark(out);
    SendIdle(out);
    ShowSplits(now_us);
  }

  std::optional<int64_t> next_timer_us() const override {
    if (restored_) return context_.clock->now_us();  // the restored watermark is still to be sent
    return splits_.next_expiry_us();
  }

  void Snapshot(SnapshotWriter& writer) override {
    StateWriter& table = writer.Table(kTable);
    const std::string prefix = std::to_string(context_.subtask) + "/";
    std::map<std::string, std::string> now;
    now[prefix + kSentKey] = SavedBytes({sent_us_, false});
    splits_.ForEach([&](const std::string& name, SplitWatermarks::Saved saved) {
      now[prefix + "/" + name] = SavedBytes(saved);
    });
    for (const auto& [key, value] : now) {
      const auto before = saved_.find(key);
      if (before == saved_.end() || before->second != value) table.Put(kEverySubtask, key, value);
    }
    for (const auto& [key, value] : saved_) {
      if (!now.count(key)) table.Delete(kEverySubtask, key);
    }
    saved_ = std::move(now);
  }

  /// Each subtask kept its own view of every split. The lowest is taken: it makes no row late that was not
  /// before.
  void Restore(const SnapshotReader& reader) override {
    std::map<std::string, SplitWatermarks::Saved> lowest;
    std::optional<int64_t> sent;
    reader.ForEach(kTable, [&](const StateEntry& entry) {
      saved_[std::string(entry.key)] = std::string(entry.value);
      const auto saved = ParseSaved(entry.value);
      const std::string_view name = entry.key.substr(entry.key.find('/') + 1);
      if (name == kSentKey) {
        sent = std::min(sent.value_or(kMaxWatermark), saved.watermark_us);
        return;
      }
      const auto [found, added] = lowest.try_emplace(std::string(name.substr(1)), saved);
      if (added) return;
      found->second.watermark_us = std::min(found->second.watermark_us, saved.watermark_us);
      found->second.idle = found->second.idle && saved.idle;
    });
    for (const auto& [name, saved] : lowest) splits_.Restore(name, saved);
    if (sent && *sent != kMaxWatermark) splits_.RestoreWatermark(*sent);
    restored_ = true;
  }

 private:
  /// Leaves in `saved_` what this subtask will overwrite or delete: its own entries, and for subtask 0 those
  /// of subtasks that are no more.
  void ForgetOthersEntries() {
    std::erase_if(saved_, [&](const auto& entry) {
      int subtask = 0;
      std::from_chars(entry.first.data(), entry.first.data() + entry.first.size(), subtask);
      return subtask != context_.subtask && !(context_.subtask == 0 && subtask >= context_.parallelism);
    });
  }

  /// Takes out rows without a usable time. False when none is left.
  bool KeepGood(Batch* batch, int64_t now_us, Output& out) {
    const arrow::Array& column = *batch->columns[static_cast<size_t>(options_.time_column)];
    const TimesUs times(column);
    const bool all_near =
        options_.max_future_skew_us <= 0 || times.Max(column) <= now_us + options_.max_future_skew_us;
    if (column.null_count() == 0 && all_near) return true;
    good_.clear();
    for (int64_t row = 0; row < batch->num_rows; ++row) {
      if (column.IsNull(row)) {
        bad_.Add(std::nullopt, "the event time is NULL", "");
      } else if (!all_near && times.ToUs(times.raw(row)) > now_us + options_.max_future_skew_us) {
        const std::string text = OrThrow(column.GetScalar(row))->ToString();
        bad_.Add(std::nullopt, "the event time " + text + " is too far in the future", "");
      } else {
        good_.push_back(static_cast<int32_t>(row));
      }
    }
    bad_.Send(out);
    if (good_.empty()) return false;
    *batch = Take(*batch, good_);
    return true;
  }

  int64_t WatermarkOf(const Batch& batch, int64_t now_us) const {
    if (options_.watermark) {
      const auto values = EvaluateToArray(*options_.watermark, batch, {context_.clock, now_us});
      return TimesUs(*values).Max(*values);
    }
    const arrow::Array& column = *batch.columns[static_cast<size_t>(options_.time_column)];
    const int64_t highest_us = TimesUs(column).Max(column);
    // Near the lower end of time the subtraction would wrap.
    return highest_us < kMinWatermark + options_.delay_us ? kMinWatermark : highest_us - options_.delay_us;
  }

  void SendWatermark(Output& out) {
    restored_ = false;
    const int64_t watermark_us = std::max(splits_.watermark_us(), given_us_);
    if (watermark_us <= sent_us_) return;
    sent_us_ = watermark_us;
    out.EmitWatermark(watermark_us);
  }

  void ShowSplits(int64_t now_us) {
    if (now_us < next_show_us_ || context_.metrics == nullptr) return;
    next_show_us_ = now_us + kShowIntervalUs;
    context_.metrics->board.SetSplits(splits_.Status(kShownSplitsMax));
  }

  void SendIdle(Output& out) {
    // Before the first split is known nothing is: whether there are any is for the source to say.
    const bool idle = input_idle_ || (started_ && splits_.idle());
    if (idle == sent_idle_) return;
    sent_idle_ = idle;
    out.EmitIdle(idle);
  }

  const WatermarkOptions options_;
  SplitWatermarks splits_;
  BadRecords bad_;
  int64_t given_us_ = kMinWatermark;  ///< by the source itself
  int64_t sent_us_ = kMinWatermark;
  bool started_ = false;
  bool input_idle_ = false;
  bool sent_idle_ = false;
  bool restored_ = false;
  int64_t next_show_us_ = 0;
  std::map<std::string, std::string> saved_;  ///< entries as of the last snapshot
  std::vector<int32_t> good_;                 // kept for its memory
};

}  // namespace

std::unique_ptr<Operator> MakeWatermarkGenerator(WatermarkOptions options) {
  return std::make_unique<WatermarkGenerator>(std::move(options));
}

}  // namespace laminar
