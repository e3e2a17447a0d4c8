#pragma once

/// Which argument tuples a group has seen: what DISTINCT inside aggregate calls needs.
///
/// Calls with the same arguments share one set, whatever their FILTERs: an entry (owner, tuple) has a bit per
/// filter, or a count per filter where rows can be taken back. Only a tuple's first and last row reach the
/// functions. An owner is the slot of a group in the operator's map.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operators/accumulator_set.h"
#include "state/deleted_keys.h"
#include "state/keyed_map.h"

namespace laminar {

/// The sets that some calls need. Immutable.
class DistinctPlan {
 public:
  struct User {
    size_t call;
    int filter;  // index into Set::filters
  };
  struct Set {
    std::vector<int> columns;  ///< arguments and ORDER BY columns, without repetition
    std::vector<std::shared_ptr<arrow::DataType>> types;
    std::vector<int> filters;  ///< input columns; −1: all rows pass. At most 64
    std::vector<User> users;
  };

  DistinctPlan(const std::vector<AggregateSpec>& specs, const Schema& input);
  const std::vector<Set>& sets() const { return sets_; }
  bool empty() const { return sets_.empty(); }
  /// The arguments of `call` out of columns in the order of `set.columns`.
  std::vector<std::shared_ptr<arrow::Array>> ArgsOf(
      const Set& set, size_t call, const std::vector<std::shared_ptr<arrow::Array>>& columns) const;

 private:
  std::vector<AggregateSpec> specs_;
  std::vector<Set> sets_;
};

/// The table of a set. Its keys: `before`, then the bytes of an owner's key behind their length, then the
/// tuple. `counts`: kCounts.
StateTableSpec DistinctTable(std::string name, std::string layout, const DistinctPlan::Set& set,
                             const Schema& input, bool counts, std::vector<StatePart> before,
                             std::vector<StatePart> owner);

/// The entries of all sets of a plan, for the owners of one map.
class DistinctSets {
 public:
  enum class Mode {
    kBits,          ///< rows never go; functions are updated at once
    kCounts,        ///< weights may be negative; functions are updated at once
    kLater,         ///< rows never go; functions are updated when the window closes (UpdateFromEntries)
    kLaterByOwner,  ///< the same, and entries of single owners can be reached (sessions)
  };
  DistinctSets(const DistinctPlan& plan, Mode mode);

  /// Adds rows: `owners[i]` and `records[i]` belong to row rows[i] (row i when `rows` is null).
  void Add(const Batch& batch, const int32_t* rows, int64_t count, const uint32_t* owners,
           uint8_t* const* records, AccumulatorSet* accumulators);
  /// kLater: adds all entries of `from`, whose owner o is owner owners[o] here.
  void AddFrom(const DistinctSets& from, const std::vector<uint32_t>& owners);
  /// kLater: feeds all entries to the functions, into the record of each owner.
  void UpdateFromEntries(const std::function<uint8_t*(uint32_t owner)>& record_of,
                         AccumulatorSet* accumulators) const;

  using Forgotten = std::function<void(size_t set, uint32_t owner, std::string_view tuple)>;
  /// Drops the entries of all owners for which `is_gone` says so. `forgotten` is told each entry that a
  /// snapshot has, before it goes. Walks over all entries: call it for many owners at once.
  void RemoveOwners(const std::function<bool(uint32_t owner)>& is_gone, const Forgotten& forgotten);
  /// kLaterByOwner: like UpdateFromEntries for these owners alone.
  void UpdateFromOwners(const std::vector<uint32_t>& owners,
                        const std::function<uint8_t*(uint32_t owner)>& record_of,
                        AccumulatorSet* accumulators) const;
  /// kLaterByOwner: gives the entries of an owner to another; kNoSlot drops them.
  void MoveOwner(uint32_t from, uint32_t to, const Forgotten& forgotten);

  // Snapshots: an entry's tuple bytes and value bytes, per set. Entries taken back are told by `forgotten_`.

  /// Of operators' snapshots.
  static std::string TableName(size_t set) { return "distinct" + std::to_string(set); }
  using WriteTuple = std::function<void(size_t set, uint32_t owner, std::string_view tuple,
                                        std::string_view value, StateWriter& out)>;
  /// Lets each set's changed entries be written to its table, as they are now. `write` is called for an owner
  /// before its entries go.
  void Snapshot(SnapshotWriter& writer, const WriteTuple& write);
  /// Writes all that is still to be written of the last Snapshot.
  void FinishSnapshot();
  /// All entries that some snapshot has.
  void ForEachPersisted(const Forgotten& visit) const;
  void Restore(size_t set, uint32_t owner, std::string_view tuple, std::string_view value);
  /// kCounts: told of entries that a snapshot has and that go.
  void OnForgotten(Forgotten forgotten) { forgotten_ = std::move(forgotten); }

  int64_t size() const;
  bool empty() const { return size() == 0; }
  void Clear();

 private:
  using Columns = std::vector<std::shared_ptr<arrow::Array>>;
  /// kLaterByOwner: a record. Other modes: bits alone, or a count per filter.
  struct LinkedBits {
    uint64_t bits;
    uint32_t next;  // entry of the same owner; kNoSlot: last
    uint32_t unused;
  };

  static std::string_view TupleOf(std::string_view key) { return key.substr(sizeof(uint32_t)); }
  size_t ValueBytes(size_t index) const;  // of an entry in snapshots
  static uint32_t OwnerOf(std::string_view key);
  void AddToSet(size_t index, const Batch& batch, const int32_t* rows, int64_t count, const uint32_t* owners,
                uint8_t* const* records, AccumulatorSet* accumulators);
  void ApplyBits(size_t index, const Columns& columns, const int32_t* rows, int64_t count,
                 uint8_t* const* records, AccumulatorSet* accumulators);
  void ApplyCounts(size_t index, const Columns& columns, const int32_t* weights, const int32_t* rows,
                   int64_t count, uint8_t* const* records, AccumulatorSet* accumulators);
  void UpdateFrom(size_t index, const std::vector<uint32_t>& entries,
                  const std::function<uint8_t*(uint32_t owner)>& record_of,
                  AccumulatorSet* accumulators) const;
  void Link(size_t index, uint32_t owner, uint32_t slot);
  LinkedBits* linked(size_t index, uint32_t slot) {
    return reinterpret_cast<LinkedBits*>(maps_[index].record(slot));
  }
  uint64_t* bits(size_t index, uint32_t slot) {
    return reinterpret_cast<uint64_t*>(maps_[index].record(slot));
  }
  int64_t* counts(size_t index, uint32_t slot) {
    return reinterpret_cast<int64_t*>(maps_[index].record(slot));
  }

  const DistinctPlan* plan_;
  Mode mode_;
  std::vector<KeyedMap> maps_;                // by set; key: (owner UINT32, tuple)
  std::vector<std::vector<uint32_t>> heads_;  // kLaterByOwner: [set][owner], first entry or kNoSlot
  Forgotten forgotten_;
  // Scratch of one Add.
  std::vector<KeyBatch> keys_;
  std::vector<uint64_t> passes_;
  std::vector<uint32_t> slots_, owners_by_row_;
  std::vector<int32_t> entries_, changed_, rows_, minus_one_;
  std::vector<uint8_t*> records_;
};

}  // namespace laminar
