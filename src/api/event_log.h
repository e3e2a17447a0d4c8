#pragma once

/// What has happened in the server, for readers of GET /events: a bounded ring of all topics in one order, so
/// that a reader that comes back goes on where it was. Thread-safe.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "catalog/catalog.h"
#include "jobs/job_manager.h"

namespace laminar::api {

struct LoggedEvent {
  int64_t seq = 0;
  int64_t time_ms = 0;
  std::string topic;  ///< pipelines, checkpoints, errors, job:ID
  std::string name;   ///< pipeline, deleted, checkpoint, error, job
  std::string data;   ///< JSON text
};

class EventLog {
 public:
  static constexpr size_t kEntriesMax = 10'000;
  static constexpr size_t kBytesMax = 8 << 20;

  explicit EventLog(size_t entries_max = kEntriesMax, size_t bytes_max = kBytesMax);

  /// Unlike that of any other run of a server.
  const std::string& run() const { return run_; }
  void Add(const std::string& topic, const char* name, const Json& data);
  /// Number of the newest event. Numbers grow, also from one run to the next.
  int64_t last() const;
  /// Whether every event behind number `seq` is still there.
  bool Reaches(int64_t seq) const;
  /// Events of `topics` behind number *seq, oldest first, about `bytes_max` of data; moves *seq to where it
  /// has looked.
  std::vector<std::shared_ptr<const LoggedEvent>> After(const std::set<std::string>& topics, size_t bytes_max,
                                                        int64_t* seq) const;

 private:
  const std::string run_;
  const size_t entries_max_, bytes_max_;
  mutable std::mutex mutex_;
  // All below guarded by mutex_.
  std::deque<std::shared_ptr<const LoggedEvent>> events_;
  size_t bytes_ = 0;
  int64_t last_;
};

struct ApiContext;

/// Writes to a log what changes in catalog and jobs. To be made before JobManager::Start.
class EventWriter {
 public:
  EventWriter(const ApiContext& context, Catalog& catalog, JobManager& jobs, EventLog& log);

 private:
  void OnChange(const Catalog::Transaction& changes);
  void OnError(const std::string& job_id, const Json& entry);
  /// An event when the list of pipelines would show it otherwise than before.
  void ShowIfChanged(const std::string& pipeline_id);

  const ApiContext& context_;
  EventLog& log_;
  // What was shown last; of the catalog's writers, one at a time.
  std::map<std::string, std::string> pipelines_, jobs_;
};

}  // namespace laminar::api
