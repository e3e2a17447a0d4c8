#pragma once

/// The inner loops of aggregates whose accumulator is a plain struct, and the base class of such functions.
///
/// Each loop is instantiated for two shapes of input (nothing but values; nulls, row lists and weights) times
/// two of the states (one group for all rows, kept in registers; a group per row). Anything finer costs code
/// and wins nothing.

#include <arrow/array.h>

#include <cstring>
#include <type_traits>
#include <utility>
#include <vector>

#include "functions/aggregate.h"

namespace laminar {

/// Which rows have no NULL in any of some columns.
class ValidRows {
 public:
  ValidRows() = default;
  /// `columns[0, count)`; no columns: all rows are valid.
  explicit ValidRows(const std::vector<std::shared_ptr<arrow::Array>>& columns, size_t count);
  explicit ValidRows(const arrow::Array& column) { Add(column); }

  bool all() const { return bits_ == nullptr; }
  bool operator[](int64_t row) const {
    if (bits_ == nullptr) return true;
    const int64_t bit = row + offset_;
    return (bits_[bit >> 3] >> (bit & 7)) & 1;
  }

 private:
  void Add(const arrow::Array& column);

  const uint8_t* bits_ = nullptr;  // borrowed from the column, or own_.data()
  int64_t offset_ = 0;
  std::vector<uint8_t> own_;
};

/// Whether all entries are the same accumulator (a global aggregate, a batch inside one window).
inline bool OneGroup(uint8_t* const* states, int64_t count) {
  if (count < 4 || states[0] != states[count - 1]) return false;
  for (int64_t i = 1; i < count; ++i) {
    if (states[i] != states[0]) return false;
  }
  return true;
}

/// Calls add(State&, row, weight) for each entry whose row is valid.
template <typename State, typename Add>
void ForEachValidRow(uint8_t* const* states, const AggregateInput& input, const ValidRows& valid, Add add) {
  static_assert(std::is_trivially_copyable_v<State>);
  auto loop = [&](auto state_of) {
    if (valid.all() && !input.rows && !input.weights) {
      for (int64_t i = 0; i < input.count; ++i) add(state_of(i), i, int64_t{1});
      return;
    }
    for (int64_t i = 0; i < input.count; ++i) {
      const int64_t row = input.row(i);
      if (valid[row]) add(state_of(i), row, int64_t{input.weights ? input.weights[row] : 1});
    }
  };
  if (OneGroup(states, input.count)) {
    State local;
    std::memcpy(&local, states[0], sizeof(State));
    loop([&](int64_t) -> State& { return local; });
    std::memcpy(states[0], &local, sizeof(State));
  } else {
    loop([&](int64_t i) -> State& { return *reinterpret_cast<State*>(states[i]); });
  }
}

/// An aggregate whose accumulator is the bytes of `State`, which starts as State{}.
template <typename State>
class PlainAggregate : public AggregateFunction {
 public:
  explicit PlainAggregate(Type result) : AggregateFunction(std::move(result), sizeof(State)) {
    static_assert(std::is_trivially_copyable_v<State> && sizeof(State) % 8 == 0 && alignof(State) <= 8);
  }
  void Init(uint8_t* state) const override {
    const State initial{};
    std::memcpy(state, &initial, sizeof(State));
  }

 protected:
  static State& At(uint8_t* const* states, int64_t i) { return *reinterpret_cast<State*>(states[i]); }
  static const State& At(const uint8_t* const* states, int64_t i) {
    return *reinterpret_cast<const State*>(states[i]);
  }
};

}  // namespace laminar
