#pragma once

/// What joins by key have in common: which rows they pair, and how pairs become columns again.
///
/// The joined row is the left columns, then the right columns. Joins keep only the columns that the output or
/// the predicate reads, as row bytes.

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "functions/expression.h"
#include "state/state_layout.h"
#include "types/batch.h"
#include "types/row_codec.h"
#include "types/type.h"

namespace laminar {

enum class JoinKind { kInner, kLeft, kRight, kFull, kSemi, kAnti };

inline constexpr int kLeftInput = 0;
inline constexpr int kRightInput = 1;
inline constexpr int64_t kJoinBatchRows = 8192;  ///< joins emit no more rows at once

struct JoinSpec {
  Schema left, right;
  std::vector<int> left_keys,
      right_keys;  ///< same number (at least one) and same Arrow types; NULL keys never match
  JoinKind kind = JoinKind::kInner;
  ExpressionPtr predicate;  ///< BOOLEAN over the joined row, besides the keys; null pointer: none
  std::vector<int> output;  ///< columns of the joined row to emit, in this order; semi and anti: of the left
};

/// Whether rows of `input` that have no partner appear, padded with NULLs.
bool IsPadded(JoinKind kind, int input);
/// Semi and anti: the output is left rows.
inline bool HasPairs(JoinKind kind) { return kind != JoinKind::kSemi && kind != JoinKind::kAnti; }

/// Pairs of a row of a batch at hand and a kept row, entry by entry.
struct JoinPairs {
  std::vector<int32_t> live;             ///< rows of the batch; −1: NULLs
  std::vector<std::string_view> stored;  ///< row bytes of the other input; null data(): NULLs
  std::vector<int32_t> weights;

  int64_t size() const { return static_cast<int64_t>(live.size()); }
  void Add(int32_t live_row, std::string_view stored_row, int32_t weight) {
    live.push_back(live_row);
    stored.push_back(stored_row);
    weights.push_back(weight);
  }
  void Clear() {
    live.clear();
    stored.clear();
    weights.clear();
  }
};

/// Turns rows into bytes and pairs into columns. Immutable.
class JoinRows {
 public:
  /// Aborts when the spec is inconsistent (the planner's bug). `keep_keys`: Decode gives key columns too.
  explicit JoinRows(JoinSpec spec, bool keep_keys = false);

  const JoinSpec& spec() const { return spec_; }
  const std::vector<int>& keys(int input) const {
    return input == kLeftInput ? spec_.left_keys : spec_.right_keys;
  }
  std::vector<std::shared_ptr<arrow::Array>> KeyColumns(int input, const Batch& batch) const;
  std::vector<std::shared_ptr<arrow::DataType>> KeyTypes() const;
  /// Rows of `input` whose key has no NULL. `all`: set when these are all rows, and `out` is left empty.
  void RowsWithKey(int input, const Batch& batch, std::vector<int32_t>* out, bool* all) const;

  /// Whether nothing of this input's rows is kept but their keys.
  bool keeps_nothing(int input) const { return kept_[input].empty(); }
  /// Row bytes of rows[0..n) (`rows` null: 0..n−1), with the kept columns only.
  void Encode(int input, const Batch& batch, const int32_t* rows, int64_t n, ByteStrings* out) const;
  /// Kept columns of stored rows, at their positions in the input's schema; what is not kept is a column of
  /// NULLs.
  Batch Decode(int input, const std::vector<std::string_view>& rows) const;

  /// Entries of `pairs` that the predicate is true for (all when there is none).
  void Passing(int live_input, const Batch& live, const JoinPairs& pairs, const EvalContext& context,
               std::vector<int32_t>* out) const;
  /// The output columns of the pairs. Weights are left to the caller.
  Batch Output(int live_input, const Batch& live, const JoinPairs& pairs) const;
  /// The table of an input's log. `num_keys`: how many of the keys the log has; −1: all.
  StateTableSpec Table(std::string name, int input, int num_keys = -1) const;

 private:
  std::string Layout(int input) const;
  /// `columns`: of the joined row.
  std::vector<std::shared_ptr<arrow::Array>> Columns(int live_input, const Batch& live,
                                                     const JoinPairs& pairs,
                                                     const std::vector<int>& columns) const;
  int num_left() const { return spec_.left.num_columns(); }
  int InputOf(int joined_column) const { return joined_column < num_left() ? kLeftInput : kRightInput; }

  JoinSpec spec_;
  std::vector<int> predicate_columns_;  // of the joined row
  std::vector<int> kept_[2];            // of the input, rising
  std::vector<int> kept_position_;      // by joined column: index into kept_ of its input, or −1
  std::vector<RowCodec> codecs_;        // by input
};

}  // namespace laminar
