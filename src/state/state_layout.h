#pragma once

/// What the bytes of a table's entries are, for those who look at state from outside (`laminar checkpoint
/// read`, state_rows.h): named columns. Operators that restore know it anyway, so it takes no part in the
/// check that a checkpoint fits.

#include <cstdint>
#include <string>
#include <vector>

#include "types/type.h"

namespace laminar {

/// A piece of an entry's key or value. Pieces follow one another; at most one of a key or value has no length
/// of its own.
struct StatePart {
  enum class Form : uint8_t {
    kPlain,     ///< numbers of the columns' width, little-endian; a TIMESTAMP of the least value is NULL
    kSequence,  ///< numbers of 8 bytes that sort as the bytes do (row_bytes.h)
    kKey,       ///< canonical key: all that is left
    kRow,       ///< row bytes: all that is left
    kText,      ///< all that is left, as it is
    kBytes,     ///< `bytes` that are the writer's own; −1: all that is left
    kSkip,      ///< `bytes` without meaning
    kSized,     ///< uint32 length, then so many bytes that are `parts`
  };
  Form form = Form::kBytes;
  std::vector<Field> columns = {};
  int64_t bytes = -1;
  std::vector<StatePart> parts = {};

  static StatePart Plain(std::vector<Field> columns) { return {Form::kPlain, std::move(columns)}; }
  static StatePart Sequence(std::vector<Field> columns) { return {Form::kSequence, std::move(columns)}; }
  static StatePart Key(std::vector<Field> columns) { return {Form::kKey, std::move(columns)}; }
  static StatePart Row(std::vector<Field> columns) { return {Form::kRow, std::move(columns)}; }
  static StatePart Text(std::string name) { return {Form::kText, {{std::move(name), Type::Text()}}}; }
  static StatePart Bytes(std::string name, int64_t bytes = -1) {
    return {Form::kBytes, {{std::move(name), Type::Bytes()}}, bytes};
  }
  static StatePart Skip(int64_t bytes) { return {Form::kSkip, {}, bytes}; }
  static StatePart Sized(std::vector<StatePart> parts) { return {Form::kSized, {}, -1, std::move(parts)}; }
};

/// A table that an operator keeps. A restore is refused when `version` or `layout` differ from what was
/// written.
struct StateTableSpec {
  std::string name;
  int version = 1;
  std::string layout;  ///< key and value types in SQL spelling, e.g. "BIGINT -> count BIGINT, sum DOUBLE"
  std::vector<StatePart> key = {};  ///< empty, and `value` too: not said
  std::vector<StatePart> value = {};
};

/// Of KeyedLog: rows of a key with their time (of type `time`), weight and matches.
StateTableSpec LogTable(std::string name, std::string layout, std::vector<Field> key, std::vector<Field> row,
                        Type time = Type::Timestamp());
/// Of OrderedRows; `tag` names what the operator keeps there.
StateTableSpec OrderedTable(std::string name, std::string layout, std::vector<Field> key,
                            std::vector<Field> row, std::string tag);
/// Text → text, as sources keep their positions.
StateTableSpec TextTable(std::string name, std::string layout, std::string key, std::string value);

/// As the manifest has them: JSON.
std::string StatePartsToText(const std::vector<StatePart>& parts);
/// Empty for what this program does not know.
std::vector<StatePart> StatePartsFromText(const std::string& text);

}  // namespace laminar
