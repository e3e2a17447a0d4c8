#include "catalog/catalog.h"

#include "base/error.h"
#include "types/type.h"

namespace laminar {

namespace {

template <typename Maps, typename Action>
void ForEachMap(Maps& maps, Action action) {
  std::apply([&](auto&... map) { (action(map), ...); }, maps);
}

}  // namespace

Catalog::Catalog(std::unique_ptr<MetadataStore> store) : store_(std::move(store)) {
  store_->ForEach([this](std::string_view kind, std::string_view document) {
    const Json json = Json::parse(document);
    ForEachMap(maps_, [&](auto& map) {
      using Record = std::remove_const_t<typename std::decay_t<decltype(map)>::mapped_type::element_type>;
      if (kind != Record::kKind) return;
      auto record = std::make_shared<Record>();
      from_json(json, *record);
      map[record->id] = record;
    });
  });
}

template <typename Record>
std::shared_ptr<const Record> Catalog::ByName(const std::string& name) const {
  for (const auto& [id, record] : std::get<RecordMap<Record>>(maps_)) {
    if (EqualsIgnoreCase(record->name, name)) return record;
  }
  return nullptr;
}

template std::shared_ptr<const Profile> Catalog::ByName<Profile>(const std::string&) const;
template std::shared_ptr<const ConnectionTable> Catalog::ByName<ConnectionTable>(const std::string&) const;
template std::shared_ptr<const Pipeline> Catalog::ByName<Pipeline>(const std::string&) const;
template std::shared_ptr<const Udf> Catalog::ByName<Udf>(const std::string&) const;

void Catalog::Update(const std::function<void(Transaction&)>& change) {
  std::lock_guard store_lock(store_mutex_);
  Transaction transaction(*this);
  change(transaction);  // only writers change the maps, and this is the only one
  if (transaction.changes_.empty()) return;
  store_->Apply(transaction.changes_);
  Publish(transaction);
  if (observer_) observer_(transaction);
}

void Catalog::Publish(const Transaction& transaction) {
  std::unique_lock lock(mutex_);
  ForEachMap(transaction.staged_, [this](const auto& staged) {
    auto& map = std::get<std::decay_t<decltype(staged)>>(maps_);
    for (const auto& [id, record] : staged) {
      if (record) {
        map[id] = record;
      } else {
        map.erase(id);
      }
    }
  });
}

void Catalog::Append(const std::vector<HistoryEntry>& entries) {
  std::lock_guard lock(store_mutex_);
  store_->Append(entries);
}

std::vector<HistoryEntry> Catalog::History(const std::string& job_id, const std::string& kind,
                                           int64_t limit) const {
  std::lock_guard lock(store_mutex_);
  return store_->History(job_id, kind, limit);
}

void Catalog::TrimHistory(const std::string& job_id, const std::string& kind, int64_t keep) {
  std::lock_guard lock(store_mutex_);
  store_->TrimHistory(job_id, kind, keep);
}

}  // namespace laminar
