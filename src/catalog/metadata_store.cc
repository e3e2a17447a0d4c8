#include "catalog/metadata_store.h"

#include <soci/postgresql/soci-postgresql.h>
#include <soci/soci.h>
#include <soci/sqlite3/soci-sqlite3.h>

#include <exception>

#include "base/error.h"

namespace laminar {

namespace {

/// Statements that bring the schema from version i to i + 1. Never edited once released, only added to.
const std::vector<std::vector<std::string>>& Migrations() {
  static const std::vector<std::vector<std::string>> migrations = {
      {
          "CREATE TABLE laminar_objects (kind VARCHAR(32) NOT NULL, id VARCHAR(64) NOT NULL, "
          "document TEXT NOT NULL, PRIMARY KEY (kind, id))",
          "CREATE TABLE laminar_history (job_id VARCHAR(64) NOT NULL, kind VARCHAR(16) NOT NULL, "
          "sequence BIGINT NOT NULL, document TEXT NOT NULL, PRIMARY KEY (job_id, kind, sequence))",
      },
  };
  return migrations;
}

class SociStore final : public MetadataStore {
 public:
  explicit SociStore(const StoreSettings& settings) : postgres_(settings.type == "postgres") {
    Guard([&] {
      if (postgres_) {
        session_.open(soci::postgresql, settings.target);
      } else {
        session_.open(soci::sqlite3, "dbname=\"" + settings.target + "\" timeout=5");
        session_ << "PRAGMA journal_mode=WAL";
        session_ << "PRAGMA synchronous=FULL";
      }
      Migrate();
    });
  }

  void ForEach(const std::function<void(std::string_view, std::string_view)>& take) override {
    Guard([&] {
      std::string kind, document;
      soci::statement select = (session_.prepare << "SELECT kind, document FROM laminar_objects",
                                soci::into(kind), soci::into(document));
      select.execute();
      while (select.fetch()) take(kind, document);
    });
  }

  void Apply(const std::vector<StoreChange>& changes) override {
    Guard([&] {
      soci::transaction transaction(session_);
      for (const StoreChange& change : changes) {
        if (change.document.empty()) {
          session_ << "DELETE FROM laminar_objects WHERE kind = :kind AND id = :id", soci::use(change.kind),
              soci::use(change.id);
        } else {
          session_ << "INSERT INTO laminar_objects (kind, id, document) VALUES (:kind, :id, :document) "
                      "ON CONFLICT (kind, id) DO UPDATE SET document = excluded.document",
              soci::use(change.kind), soci::use(change.id), soci::use(change.document);
        }
      }
      transaction.commit();
    });
  }

  void Append(const std::vector<HistoryEntry>& entries) override {
    if (entries.empty()) return;
    Guard([&] {
      soci::transaction transaction(session_);
      for (const HistoryEntry& entry : entries) {
        const long long sequence = entry.sequence;
        session_ << "INSERT INTO laminar_history (job_id, kind, sequence, document) "
                    "VALUES (:job, :kind, :sequence, :document) "
                    "ON CONFLICT (job_id, kind, sequence) DO UPDATE SET document = excluded.document",
            soci::use(entry.job_id), soci::use(entry.kind), soci::use(sequence), soci::use(entry.document);
      }
      transaction.commit();
    });
  }

  std::vector<HistoryEntry> History(const std::string& job_id, const std::string& kind,
                                    int64_t limit) override {
    std::vector<HistoryEntry> out;
    Guard([&] {
      long long sequence = 0;
      const long long most = limit;
      std::string document;
      soci::statement select =
          (session_.prepare << "SELECT sequence, document FROM laminar_history WHERE job_id = :job AND "
                               "kind = :kind ORDER BY sequence DESC LIMIT :most",
           soci::use(job_id), soci::use(kind), soci::use(most), soci::into(sequence), soci::into(document));
      select.execute();
      while (select.fetch()) out.push_back({job_id, kind, sequence, document});
    });
    return {out.rbegin(), out.rend()};
  }

  void TrimHistory(const std::string& job_id, const std::string& kind, int64_t keep) override {
    Guard([&] {
      const long long most = keep;
      session_ << "DELETE FROM laminar_history WHERE job_id = :job AND kind = :kind AND sequence <= "
                  "(SELECT COALESCE(MAX(sequence), 0) FROM laminar_history WHERE job_id = :job2 AND kind = "
                  ":kind2) - :keep",
          soci::use(job_id), soci::use(kind), soci::use(job_id), soci::use(kind), soci::use(most);
    });
  }

 private:
  void Migrate() {
    session_ << "CREATE TABLE IF NOT EXISTS laminar_schema (version INTEGER NOT NULL)";
    soci::transaction transaction(session_);
    int version = 0;
    soci::indicator null = soci::i_null;
    session_ << "SELECT MAX(version) FROM laminar_schema", soci::into(version, null);
    if (null == soci::i_null) version = 0;
    const int newest = static_cast<int>(Migrations().size());
    if (version > newest) {
      throw ExternalError("metadata store", "its schema has version " + std::to_string(version) +
                                                ", this build knows up to " + std::to_string(newest) +
                                                ": use a newer laminar, or another data directory");
    }
    for (int i = version; i < newest; ++i) {
      for (const std::string& statement : Migrations()[i]) session_ << statement;
      const int reached = i + 1;
      session_ << "INSERT INTO laminar_schema (version) VALUES (:version)", soci::use(reached);
    }
    transaction.commit();
  }

  template <typename Action>
  void Guard(Action action) {
    try {
      action();
    } catch (const soci::soci_error& error) {
      throw ExternalError("metadata store", error.what(), ExternalError::Retry::kBackoff);
    }
  }

  const bool postgres_;
  soci::session session_;
};

}  // namespace

std::unique_ptr<MetadataStore> MetadataStore::Open(const StoreSettings& settings) {
  return std::make_unique<SociStore>(settings);
}

}  // namespace laminar
