#pragma once

/// Removes the state of deleted pipelines.

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace laminar {

/// On a thread of its own, since a bucket answers when it likes: one pipeline after the other, again and
/// again while the store refuses or is away.
class StateRemoval {
 public:
  /// `url`, `options`: the store's, below which each pipeline has its folder. `removed` is told of each
  /// pipeline whose state is no more; by the thread.
  StateRemoval(std::string url, std::map<std::string, std::string> options,
               std::function<void(const std::string& pipeline_id)> removed);
  /// What is not removed yet stays.
  ~StateRemoval();
  /// Thread-safe. Nobody writes that pipeline's state any more.
  void Add(const std::string& pipeline_id);

 private:
  void Run();
  bool Remove(const std::string& pipeline_id);
  bool over();

  const std::string url_;
  const std::map<std::string, std::string> options_;
  const std::function<void(const std::string&)> removed_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> waiting_;  // guarded by mutex_
  bool over_ = false;                // guarded by mutex_
  std::thread thread_;               // last: starts when all else is there
};

}  // namespace laminar
