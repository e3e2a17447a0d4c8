#pragma once

/// Small operators and an endless source for tests of the executor. Rows are (key BIGINT, value BIGINT).

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "support/test_job.h"
#include "types/row_codec.h"

namespace laminar {

inline const Schema kRow{{{"key", Type::Int64()}, {"value", Type::Int64()}}};

inline Batch Rows(std::string_view text) { return ParseBatch(text, kRow); }

/// Rows (key, value) for key in [first, first + n), value = key · 10.
inline Batch Numbers(int64_t first, int64_t n) {
  std::string text;
  for (int64_t i = first; i < first + n; ++i)
    text += "+ " + std::to_string(i) + " " + std::to_string(i * 10) + "\n";
  return Rows(text);
}

/// Passes everything on and notes the calls.
class Recorder : public Operator {
 public:
  explicit Recorder(std::vector<std::string>* calls) : calls_(calls) {}
  void OnBatch(int input, Batch batch, Output& out) override {
    calls_->push_back("batch " + std::to_string(input) + " rows " + std::to_string(batch.num_rows));
    out.Emit(std::move(batch));
  }
  void OnWatermark(int64_t watermark_us, Output& out) override {
    calls_->push_back(watermark_us == kMaxWatermark ? "watermark max"
                                                    : "watermark " + std::to_string(watermark_us));
    out.EmitWatermark(watermark_us);
  }
  void OnFlush(Output&) override { calls_->push_back("flush"); }
  void OnEnd(Output&) override { calls_->push_back("end"); }
  void OnIdle(bool idle, Output& out) override {
    calls_->push_back(idle ? "idle" : "active");
    out.EmitIdle(idle);
  }
  void OnSplit(const SplitEvent& event, Output& out) override {
    calls_->push_back("split " + std::to_string(event.split));
    out.EmitSplit(event);
  }

 protected:
  std::vector<std::string>* calls_;
};

/// Row time = `value`: emits the watermark value after each batch.
class ValueWatermark final : public Operator {
 public:
  void OnBatch(int, Batch batch, Output& out) override {
    int64_t maximum = kMinWatermark;
    const auto& values = static_cast<const arrow::Int64Array&>(*batch.columns[1]);
    for (int64_t row = 0; row < batch.num_rows; ++row) maximum = std::max(maximum, values.Value(row));
    out.Emit(std::move(batch));
    out.EmitWatermark(maximum);
  }
};

/// Updating count and sum per key: emits -old +new of the changed keys at flush.
class SumByKey final : public Operator {
 public:
  std::vector<StateTableSpec> state_tables() const override { return {{"sums", 1, "BIGINT -> BIGINT"}}; }
  void OnBatch(int, Batch batch, Output&) override {
    const auto& keys = static_cast<const arrow::Int64Array&>(*batch.columns[0]);
    const auto& values = static_cast<const arrow::Int64Array&>(*batch.columns[1]);
    std::vector<uint64_t> hashes(static_cast<size_t>(batch.num_rows));
    HashRows({batch.columns[0]}, batch.num_rows, hashes.data());
    for (int64_t row = 0; row < batch.num_rows; ++row) {
      Group& group = groups_[keys.Value(row)];
      group.key_group = KeyGroupOf(hashes[static_cast<size_t>(row)]);
      EXPECT_TRUE(context_.key_groups.Contains(group.key_group));
      group.sum += values.Value(row) * batch.weight(row);
      changed_.insert(keys.Value(row));
      unsaved_.insert(keys.Value(row));
    }
  }
  void OnFlush(Output& out) override {
    std::string text;
    for (int64_t key : changed_) {
      Group& group = groups_[key];
      if (group.sent == group.sum) continue;
      if (group.sent) text += "- " + std::to_string(key) + " " + std::to_string(*group.sent) + "\n";
      text += "+ " + std::to_string(key) + " " + std::to_string(group.sum) + "\n";
      group.sent = group.sum;
    }
    changed_.clear();
    out.Emit(Rows(text));
  }
  void Snapshot(SnapshotWriter& writer) override {
    EXPECT_TRUE(changed_.empty()) << "no flush before the snapshot";
    for (int64_t key : unsaved_) {
      writer.Table("sums").Put(groups_[key].key_group, std::to_string(key), std::to_string(groups_[key].sum));
    }
    unsaved_.clear();
  }
  void Restore(const SnapshotReader& reader) override {
    reader.ForEach("sums", [&](const StateEntry& entry) {
      const int64_t sum = std::stoll(std::string(entry.value));
      groups_[std::stoll(std::string(entry.key))] = {sum, sum, entry.key_group};
    });
  }

 private:
  struct Group {
    int64_t sum = 0;
    std::optional<int64_t> sent;
    uint16_t key_group = 0;
  };
  std::map<int64_t, Group> groups_;
  std::set<int64_t> changed_;
  std::set<int64_t> unsaved_;
};

/// Passes `n` rows, then needs no more.
class TakeFirst final : public Operator {
 public:
  explicit TakeFirst(int64_t n) : left_(n) {}
  void Open(const OperatorContext& context) override {
    Operator::Open(context);
    if (left_ == 0) context_.finish_upstream();
  }
  void OnBatch(int, Batch batch, Output& out) override {
    const int64_t take = std::min(left_, batch.num_rows);
    left_ -= take;
    out.Emit(Slice(batch, 0, take));
    if (left_ == 0) context_.finish_upstream();
  }

 private:
  int64_t left_;
};

/// A source without end: 10 rows per poll.
class Endless final : public Source {
 public:
  PollResult Poll(Output& out) override {
    if (next_ == 0) out.EmitSplit({0, SplitEvent::Kind::kStarted, "numbers"});
    out.Emit(Numbers(next_, 10));
    next_ += 10;
    return PollResult::kMore;
  }
  void Snapshot(SnapshotWriter&) override {}
  void Restore(const SnapshotReader&) override {}

 private:
  int64_t next_ = 0;
};

template <typename T, typename... Args>
std::function<std::unique_ptr<Operator>()> Make(Args... args) {
  return [=] { return std::make_unique<T>(args...); };
}

inline std::unique_ptr<Source> MakeEndless() { return std::make_unique<Endless>(); }

}  // namespace laminar
