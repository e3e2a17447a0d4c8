#pragma once

/// A multiset of values in SQL order: what MIN, MAX, MODE and percentiles keep when rows may be taken back.

#include <cmath>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <type_traits>

#include "functions/aggregate/owned_state.h"

namespace laminar {

/// NaN sorts above all numbers and equals itself; text by bytes.
struct ValueOrder {
  using is_transparent = void;
  template <typename A, typename B>
  bool operator()(const A& a, const B& b) const {
    if constexpr (std::is_floating_point_v<A>) {
      if (std::isnan(a)) return false;
      return std::isnan(b) || a < b;
    } else if constexpr (std::is_same_v<A, std::string> || std::is_same_v<A, std::string_view>) {
      return std::string_view(a) < std::string_view(b);
    } else {
      return a < b;
    }
  }
};

/// How a multiset stores what ColumnValues<T> gives.
template <typename T>
using StoredValue = std::conditional_t<std::is_same_v<T, std::string_view>, std::string, T>;

/// Counts may be below zero for a while: a retraction can overtake its row at a shuffle.
template <typename T>
class ValueCounts {
 public:
  using Map = std::map<StoredValue<T>, int64_t, ValueOrder>;

  void Add(const T& value, int64_t weight) {
    auto at = counts_.lower_bound(value);
    if (at == counts_.end() || ValueOrder{}(value, at->first)) {
      counts_.emplace_hint(at, StoredValue<T>(value), weight);
    } else if ((at->second += weight) == 0) {
      counts_.erase(at);
    }
    total_ += weight;
  }
  void Add(const ValueCounts& other) {
    for (const auto& [value, count] : other.counts_) Add(T(value), count);
  }

  const Map& counts() const { return counts_; }
  int64_t total() const { return total_; }  ///< sum of all counts
  /// The least or greatest value that is there; nullptr when none is.
  const StoredValue<T>* Least() const { return FirstPresent(counts_.begin(), counts_.end()); }
  const StoredValue<T>* Greatest() const { return FirstPresent(counts_.rbegin(), counts_.rend()); }
  /// The value at 0-based `rank` in order; nullptr when rank is out of range.
  const StoredValue<T>* AtRank(int64_t rank) const {
    for (const auto& [value, count] : counts_) {
      if (count <= 0) continue;
      if (rank < count) return &value;
      rank -= count;
    }
    return nullptr;
  }

  void Serialize(std::string* out) const {
    PutFixed(out, static_cast<uint64_t>(counts_.size()));
    for (const auto& [value, count] : counts_) {
      if constexpr (std::is_same_v<T, std::string_view>) {
        PutBytes(out, value);
      } else {
        PutFixed(out, value);
      }
      PutFixed(out, count);
    }
  }
  void Deserialize(ByteReader& in) {
    const uint64_t size = in.Fixed<uint64_t>();
    for (uint64_t i = 0; i < size; ++i) {
      T value;
      if constexpr (std::is_same_v<T, std::string_view>) {
        value = in.Bytes();
      } else {
        value = in.Fixed<T>();
      }
      const int64_t count = in.Fixed<int64_t>();
      counts_.emplace_hint(counts_.end(), StoredValue<T>(value), count);
      total_ += count;
    }
  }

 private:
  template <typename Iterator>
  static const StoredValue<T>* FirstPresent(Iterator at, Iterator end) {
    for (; at != end; ++at) {
      if (at->second > 0) return &at->first;
    }
    return nullptr;
  }

  Map counts_;
  int64_t total_ = 0;
};

/// An aggregate over the multiset of its first argument.
template <typename T>
class ValueCountsAggregate : public OwningAggregate<ValueCounts<T>> {
 public:
  /// `value_column`: index into AggregateInput::args.
  ValueCountsAggregate(Type result, size_t value_column)
      : OwningAggregate<ValueCounts<T>>(std::move(result)), value_column_(value_column) {}

  void Update(uint8_t* const* states, const AggregateInput& input) const override;
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) {
      if (const auto* other = this->Find(from[i])) this->GetOrMake(into[i]).Add(*other);
    }
  }

 private:
  size_t value_column_;
};

}  // namespace laminar
