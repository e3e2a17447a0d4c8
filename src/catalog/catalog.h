#pragma once

/// All metadata of a server. The only writer of the store: every change is one transaction that is durable
/// before anybody sees it. Reads come from memory; the records they give are immutable.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "catalog/metadata_store.h"
#include "catalog/records.h"

namespace laminar {

template <typename Record>
using RecordMap = std::map<std::string, std::shared_ptr<const Record>>;

class Catalog {
 public:
  /// Reads the whole store. Throws ExternalError.
  explicit Catalog(std::unique_ptr<MetadataStore> store);

  /// Null: no such object.
  template <typename Record>
  std::shared_ptr<const Record> Find(const std::string& id) const {
    std::shared_lock lock(mutex_);
    const auto& map = std::get<RecordMap<Record>>(maps_);
    const auto found = map.find(id);
    return found == map.end() ? nullptr : found->second;
  }
  /// By name, any case. Null: none.
  template <typename Record>
  std::shared_ptr<const Record> FindByName(const std::string& name) const {
    std::shared_lock lock(mutex_);
    return ByName<Record>(name);
  }
  template <typename Record>
  std::vector<std::shared_ptr<const Record>> All() const {
    std::vector<std::shared_ptr<const Record>> out;
    std::shared_lock lock(mutex_);
    const auto& map = std::get<RecordMap<Record>>(maps_);
    out.reserve(map.size());
    for (const auto& [id, record] : map) out.push_back(record);
    return out;
  }

  /// What one Update reads and changes. Sees its own changes.
  class Transaction {
   public:
    template <typename Record>
    std::shared_ptr<const Record> Find(const std::string& id) const {
      const auto& staged = std::get<RecordMap<Record>>(staged_);
      if (auto found = staged.find(id); found != staged.end()) return found->second;
      const auto& map = std::get<RecordMap<Record>>(catalog_.maps_);
      const auto found = map.find(id);
      return found == map.end() ? nullptr : found->second;
    }
    /// Of the state before the transaction.
    template <typename Record>
    std::shared_ptr<const Record> FindByName(const std::string& name) const {
      return catalog_.ByName<Record>(name);
    }
    template <typename Record>
    std::vector<std::shared_ptr<const Record>> All() const {
      std::vector<std::shared_ptr<const Record>> out;
      for (const auto& [id, record] : std::get<RecordMap<Record>>(catalog_.maps_)) out.push_back(record);
      return out;
    }
    template <typename Record>
    void Put(Record record) {
      const std::string id = record.id;
      changes_.push_back(
          {Record::kKind, id, Json(record).dump(-1, ' ', false, Json::error_handler_t::replace)});
      std::get<RecordMap<Record>>(staged_)[id] = std::make_shared<const Record>(std::move(record));
    }
    template <typename Record>
    void Delete(const std::string& id) {
      changes_.push_back({Record::kKind, id, ""});
      std::get<RecordMap<Record>>(staged_)[id] = nullptr;
    }

    /// By id; null: deleted.
    template <typename Record>
    const RecordMap<Record>& Changed() const {
      return std::get<RecordMap<Record>>(staged_);
    }

   private:
    friend class Catalog;
    explicit Transaction(const Catalog& catalog) : catalog_(catalog) {}
    const Catalog& catalog_;
    std::vector<StoreChange> changes_;
    std::tuple<RecordMap<Profile>, RecordMap<ConnectionTable>, RecordMap<Pipeline>, RecordMap<Job>,
               RecordMap<CheckpointRecord>, RecordMap<Udf>, RecordMap<StoredAnswer>>
        staged_;
  };

  /// Runs `change` alone and makes what it staged durable and visible. What it throws leaves nothing behind.
  void Update(const std::function<void(Transaction&)>& change);

  /// Called after each update, one at a time, on the thread that made it: it sees the new records and must
  /// not change any. To be set before there are other threads.
  using Observer = std::function<void(const Transaction&)>;
  void SetObserver(Observer observer) { observer_ = std::move(observer); }

  // A job's errors, log lines and events. Thread-safe.
  void Append(const std::vector<HistoryEntry>& entries);
  std::vector<HistoryEntry> History(const std::string& job_id, const std::string& kind, int64_t limit) const;
  void TrimHistory(const std::string& job_id, const std::string& kind, int64_t keep);

 private:
  template <typename Record>
  std::shared_ptr<const Record> ByName(const std::string& name) const;
  void Publish(const Transaction& transaction);

  std::unique_ptr<MetadataStore> store_;
  Observer observer_;
  mutable std::mutex store_mutex_;  // one statement at a time; taken before mutex_
  mutable std::shared_mutex mutex_;
  std::tuple<RecordMap<Profile>, RecordMap<ConnectionTable>, RecordMap<Pipeline>, RecordMap<Job>,
             RecordMap<CheckpointRecord>, RecordMap<Udf>, RecordMap<StoredAnswer>>
      maps_;  // guarded by mutex_
};

}  // namespace laminar
