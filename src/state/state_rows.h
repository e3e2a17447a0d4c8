#pragma once

/// Entries of a state table as rows with named columns (state_layout.h).

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "state/snapshot.h"
#include "types/batch.h"
#include "types/row_codec.h"
#include "types/type.h"

namespace laminar {

class StateRows {
 public:
  explicit StateRows(const StateTableSpec& spec);
  ~StateRows();

  /// `key_group` INT (NULL: an entry for every subtask), then the columns of the key, then those of the
  /// value; a name that is there already gets a number. A table that says nothing of its bytes has `key` and
  /// `value`, as TEXT where they are printable.
  const Schema& schema() const { return schema_; }
  /// ExternalError when the bytes are not as the table says.
  void Add(const StateEntry& entry);
  int64_t size() const { return static_cast<int64_t>(key_groups_.size()); }
  /// The rows since the last call.
  Batch Take();

 private:
  struct Piece;
  void AddPieces(const std::vector<StatePart>& parts);
  void Cut(const std::vector<StatePart>& parts, std::string_view bytes, size_t* piece);

  const StateTableSpec spec_;
  Schema schema_;
  std::vector<int32_t> key_groups_;
  std::vector<std::unique_ptr<Piece>> pieces_;  // parts with columns, in order, those inside others too
};

}  // namespace laminar
