#pragma once

/// Sources and sinks for tests of whole jobs: a feed that the test fills, and a sink that shows what was
/// written and committed.

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/graph.h"
#include "support/batch_text.h"

namespace laminar {

/// Rows by split, kept so that a restored source can read them again. Thread-safe.
class Feed {
 public:
  explicit Feed(int splits = 1) : rows_(static_cast<size_t>(splits)) {}

  void Push(Batch batch, int split = 0) {
    std::vector<std::function<void()>> wakes;
    {
      std::lock_guard lock(mutex_);
      rows_[static_cast<size_t>(split)].push_back(std::move(batch));
      wakes = wakes_;
    }
    for (const auto& wake : wakes) wake();
  }
  /// No more rows: sources end when they have read all.
  void Close() {
    std::vector<std::function<void()>> wakes;
    {
      std::lock_guard lock(mutex_);
      closed_ = true;
      wakes = wakes_;
    }
    for (const auto& wake : wakes) wake();
  }
  /// To be called when an executor is gone: its tasks must not be woken any more.
  void Disconnect() {
    std::lock_guard lock(mutex_);
    wakes_.clear();
  }
  int num_splits() const { return static_cast<int>(rows_.size()); }
  int64_t polls() const {
    std::lock_guard lock(mutex_);
    return polls_;
  }

 private:
  friend class FeedSource;
  mutable std::mutex mutex_;
  std::vector<std::vector<Batch>> rows_;
  std::vector<std::function<void()>> wakes_;
  bool closed_ = false;
  int64_t polls_ = 0;
};

/// Subtask s of p reads the splits i with i mod p = s.
class FeedSource final : public Source {
 public:
  explicit FeedSource(std::shared_ptr<Feed> feed) : feed_(std::move(feed)) {}

  void Open(const SourceContext& context) override {
    Source::Open(context);
    // At once, not at the first poll: a snapshot may come before that.
    std::erase_if(positions_, [&](const auto& entry) { return !IsOwn(entry.first); });
    std::lock_guard lock(feed_->mutex_);
    feed_->wakes_.push_back(context.wake);
  }

  PollResult Poll(Output& out) override {
    if (!announced_) return Announce(out);
    std::unique_lock lock(feed_->mutex_);
    ++feed_->polls_;
    for (size_t tried = 0; tried < own_.size(); ++tried) {
      const int split = own_[next_++ % own_.size()];
      size_t& position = positions_[split];
      const auto& rows = feed_->rows_[static_cast<size_t>(split)];
      if (position >= rows.size()) continue;
      Batch batch = rows[position++];
      lock.unlock();
      batch.split = split;
      out.Emit(std::move(batch));
      return PollResult::kMore;
    }
    return feed_->closed_ ? PollResult::kEnd : PollResult::kWaiting;
  }

  void Snapshot(SnapshotWriter& writer) override {
    for (const auto& [split, position] : positions_) {
      writer.Table("splits").Put(kEverySubtask, std::to_string(split), std::to_string(position));
    }
  }

  void Restore(const SnapshotReader& reader) override {
    reader.ForEach("splits", [&](const StateEntry& entry) {
      positions_[std::stoi(std::string(entry.key))] = std::stoul(std::string(entry.value));
    });
  }

 private:
  PollResult Announce(Output& out) {
    announced_ = true;
    for (int split = 0; split < feed_->num_splits(); ++split) {
      if (!IsOwn(split)) continue;
      own_.push_back(split);
      positions_.try_emplace(split, 0);
      out.EmitSplit({split, SplitEvent::Kind::kStarted, "split-" + std::to_string(split)});
    }
    return own_.empty() ? PollResult::kWaiting : PollResult::kMore;
  }

  bool IsOwn(int split) const { return split % context_.parallelism == context_.subtask; }

  std::shared_ptr<Feed> feed_;
  std::map<int, size_t> positions_;
  std::vector<int> own_;
  size_t next_ = 0;
  bool announced_ = false;
};

/// What a sink was told. Thread-safe.
class SinkLog {
 public:
  /// All rows ever written, in order of arrival.
  std::vector<Batch> written() const {
    std::lock_guard lock(mutex_);
    return written_;
  }
  /// Rows of complete checkpoints, then (after Close) the rest.
  std::vector<Batch> committed() const {
    std::lock_guard lock(mutex_);
    return committed_;
  }
  /// Recovery from a crash: what was prepared for epochs up to `epoch` is committed, what came later is lost.
  void Recover(uint64_t epoch) {
    std::lock_guard lock(mutex_);
    for (auto& [key, batches] : prepared_) {
      if (key.first <= epoch) committed_.insert(committed_.end(), batches.begin(), batches.end());
    }
    prepared_.clear();
    pending_.clear();
  }
  std::set<uint64_t> completed_epochs() const {
    std::lock_guard lock(mutex_);
    return completed_;
  }
  int64_t watermark_us() const {
    std::lock_guard lock(mutex_);
    return watermark_us_;
  }
  int closes() const {
    std::lock_guard lock(mutex_);
    return closes_;
  }
  int flushes() const {
    std::lock_guard lock(mutex_);
    return flushes_;
  }

 private:
  friend class LogSink;
  mutable std::mutex mutex_;
  std::vector<Batch> written_;
  std::map<int, std::vector<Batch>> pending_;                        // by subtask
  std::map<std::pair<uint64_t, int>, std::vector<Batch>> prepared_;  // by epoch and subtask
  std::vector<Batch> committed_;
  std::set<uint64_t> completed_;
  int64_t watermark_us_ = kMinWatermark;
  int closes_ = 0;
  int flushes_ = 0;
};

class LogSink final : public Sink {
 public:
  explicit LogSink(std::shared_ptr<SinkLog> log) : log_(std::move(log)) {}

  void Write(const Batch& batch) override {
    std::lock_guard lock(log_->mutex_);
    log_->written_.push_back(batch);
    log_->pending_[context_.subtask].push_back(batch);
  }
  void OnWatermark(int64_t watermark_us) override {
    std::lock_guard lock(log_->mutex_);
    log_->watermark_us_ = watermark_us;
  }
  void Flush() override {
    std::lock_guard lock(log_->mutex_);
    ++log_->flushes_;
  }
  void Snapshot(uint64_t epoch, SnapshotWriter&) override {
    std::lock_guard lock(log_->mutex_);
    log_->prepared_[{epoch, context_.subtask}] = std::exchange(log_->pending_[context_.subtask], {});
  }
  void OnCheckpointComplete(uint64_t epoch) override {
    std::lock_guard lock(log_->mutex_);
    log_->completed_.insert(epoch);
    for (auto entry = log_->prepared_.begin(); entry != log_->prepared_.end();) {
      if (entry->first.first > epoch || entry->first.second != context_.subtask) {
        ++entry;
        continue;
      }
      log_->committed_.insert(log_->committed_.end(), entry->second.begin(), entry->second.end());
      entry = log_->prepared_.erase(entry);
    }
  }
  void Close() override {
    std::lock_guard lock(log_->mutex_);
    ++log_->closes_;
    for (const Batch& batch : std::exchange(log_->pending_[context_.subtask], {}))
      log_->committed_.push_back(batch);
  }

 private:
  std::shared_ptr<SinkLog> log_;
};

/// Puts graphs together in few words.
class GraphBuilder {
 public:
  int Source(std::shared_ptr<Feed> feed, int parallelism = 1) {
    return Source([feed] { return std::make_unique<FeedSource>(feed); }, parallelism);
  }
  int Source(std::function<std::unique_ptr<laminar::Source>()> make, int parallelism = 1) {
    GraphNode& node = Add("source", parallelism);
    node.make_source = std::move(make);
    return node.id;
  }
  int Operator(std::string name, std::function<std::unique_ptr<laminar::Operator>()> make,
               int parallelism = 1) {
    GraphNode& node = Add(std::move(name), parallelism);
    node.make_operator = std::move(make);
    return node.id;
  }
  int Sink(std::shared_ptr<SinkLog> log, int parallelism = 1) {
    GraphNode& node = Add("sink", parallelism);
    node.make_sink = [log] { return std::make_unique<LogSink>(log); };
    return node.id;
  }
  GraphBuilder& Edge(int from, int to, Partitioning partitioning = Partitioning::kForward,
                     std::vector<int> keys = {}, int input = 0, int output = 0) {
    graph.edges.push_back({from, to, input, partitioning, std::move(keys), output});
    return *this;
  }

  JobGraph graph;

 private:
  GraphNode& Add(std::string name, int parallelism) {
    GraphNode node;
    node.id = static_cast<int>(graph.nodes.size());
    node.operator_id = name + "-" + std::to_string(node.id);
    node.name = std::move(name);
    node.parallelism = parallelism;
    graph.nodes.push_back(std::move(node));
    return graph.nodes.back();
  }
};

}  // namespace laminar
