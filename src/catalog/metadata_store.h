#pragma once

/// The metadata database: documents by kind and id, on SQLite or PostgreSQL through one set of statements.
/// Knows no kind; catalog.h does.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

struct StoreSettings {
  std::string type = "sqlite";  ///< sqlite, postgres
  /// SQLite: path of the file. PostgreSQL: libpq connection string or URL.
  std::string target;
};

/// One document put or deleted (`document` empty).
struct StoreChange {
  std::string kind;
  std::string id;
  std::string document;
};

/// A line of a job's history: kind is error, log or event. Appended, never changed.
struct HistoryEntry {
  std::string job_id;
  std::string kind;
  int64_t sequence = 0;  ///< rising per job and kind
  std::string document;
};

class MetadataStore {
 public:
  /// Opens, and brings the schema up to this build's version. Throws ExternalError, also for a schema that a
  /// newer build has made.
  static std::unique_ptr<MetadataStore> Open(const StoreSettings& settings);
  virtual ~MetadataStore() = default;

  // One caller at a time. All throw ExternalError.
  virtual void ForEach(const std::function<void(std::string_view kind, std::string_view document)>& take) = 0;
  /// All or none, durable on return.
  virtual void Apply(const std::vector<StoreChange>& changes) = 0;
  virtual void Append(const std::vector<HistoryEntry>& entries) = 0;
  /// Oldest first; at most `limit` of the newest.
  virtual std::vector<HistoryEntry> History(const std::string& job_id, const std::string& kind,
                                            int64_t limit) = 0;
  /// Keeps the newest `keep` of a job's kind; 0 drops all.
  virtual void TrimHistory(const std::string& job_id, const std::string& kind, int64_t keep) = 0;
};

}  // namespace laminar
