#include "jobs/state_removal.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/error.h"
#include "storage/object_store.h"

namespace laminar {

namespace {

/// Between two tries, doubled from the first to the last.
constexpr std::chrono::seconds kRetry{1}, kRetryMax{600};

}  // namespace

StateRemoval::StateRemoval(std::string url, std::map<std::string, std::string> options,
                           std::function<void(const std::string&)> removed)
    : url_(std::move(url)),
      options_(std::move(options)),
      removed_(std::move(removed)),
      thread_([this] { Run(); }) {}

StateRemoval::~StateRemoval() {
  {
    std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void StateRemoval::Add(const std::string& pipeline_id) {
  {
    std::lock_guard lock(mutex_);
    waiting_.push_back(pipeline_id);
  }
  changed_.notify_all();
}

bool StateRemoval::over() {
  std::lock_guard lock(mutex_);
  return over_;
}

void StateRemoval::Run() {
  auto pause = kRetry;
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return over_ || !waiting_.empty(); });
    if (over_) return;
    const std::string pipeline_id = waiting_.front();
    lock.unlock();
    bool done = false;
    try {
      done = Remove(pipeline_id);
      if (done) removed_(pipeline_id);
    } catch (const std::exception& error) {
      spdlog::warn("the state of the deleted pipeline {} cannot be removed: {}; next try in {} s",
                   pipeline_id, error.what(), pause.count());
    }
    lock.lock();
    waiting_.pop_front();
    if (done) {
      pause = kRetry;
      continue;
    }
    waiting_.push_back(pipeline_id);
    changed_.wait_for(lock, pause, [this] { return over_; });
    pause = std::min(2 * pause, kRetryMax);
  }
}

/// False when the server ends first. Manifests go before what they name, so that what a reader finds is
/// whole.
bool StateRemoval::Remove(const std::string& pipeline_id) {
  const auto objects = OpenObjectStore(url_ + "/" + pipeline_id, options_, /*create=*/false);
  for (const char* part : {"manifests/", ""}) {
    for (const ObjectInfo& object : objects->List(part)) {
      if (over()) return false;
      objects->Delete(object.name);
    }
  }
  objects->RemoveUnfinished("");
  return true;
}

}  // namespace laminar
