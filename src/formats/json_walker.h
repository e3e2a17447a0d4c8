#pragma once

/// The second pass over JSON text (json_record_reader.h has the whole picture): the tokens of one record into
/// columns.

#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "formats/column_writer.h"
#include "formats/json_record_reader.h"
#include "formats/text_value.h"
#include "types/timestamp_text.h"

namespace laminar {

class JsonWalker {
 public:
  JsonWalker(const JsonReadOptions& options, const Schema& columns);

  int64_t num_rows() const { return num_rows_; }
  void ReserveRows(int64_t rows) {
    if (rows > capacity_) GrowRows(rows);
  }

  /// Moves to other text. `buffer` has kPadding readable bytes behind its end, the first of which is a
  /// newline; `tokens` are those of JsonIndex over it.
  void Start(const char* buffer, const uint32_t* tokens) {
    buffer_ = buffer;
    at_ = tokens;
  }
  static constexpr int64_t kPadding = 64;

  /// True when no token lies before `bytes_end`: nothing but space up to there.
  bool AtBlank(uint32_t bytes_end) const { return *at_ >= bytes_end; }
  /// Appends the record whose tokens are those before `bytes_end` (not blank) as a row. False: no row was
  /// appended and error() says why. Either way the next record's tokens follow.
  bool ReadRecord(uint32_t bytes_end);
  void SkipRecord(uint32_t bytes_end) {
    while (*at_ < bytes_end) ++at_;
  }
  const std::string& error() const { return error_; }

  /// All rows so far; starts anew.
  Batch Finish();

 private:
  struct ObjectReader;

  /// Reads one column's values.
  struct ValueReader {
    std::string name;
    ColumnWriter* column = nullptr;
    TypeId id = TypeId::kNull;
    int64_t unit_us = 0;  // of a TIMESTAMP that is kept in microseconds: what is finer is cut off
    std::unique_ptr<ObjectReader> object;  // STRUCT
    std::unique_ptr<ValueReader> element;  // ARRAY's element, MAP's value
    std::unique_ptr<ValueReader> key;      // MAP
    int64_t loose_row = -1;                // the last row that took its value from a name in other case
  };

  /// A field name as it stands in the text, quotes included, and which field it means.
  struct KnownKey {
    std::string text;
    uint64_t head = 0;  // the first eight bytes under `head_mask`
    uint64_t head_mask = 0;
    uint64_t tail = 0;   // the last eight bytes, for texts longer than that
    int32_t field = -1;  // −1: nobody reads it
    bool loose = false;  // equal only when ignoring case
    int32_t next = -1;   // the key that followed it last time
  };

  struct ObjectReader {
    std::vector<ValueReader> fields;
    std::vector<KnownKey> keys;  // [0] serves names that are not worth keeping
    std::unordered_map<std::string, int32_t> key_ids;
    int32_t first = -1;
  };

  static ValueReader MakeReader(const std::string& name, ColumnWriter* column);
  static KnownKey MakeKey(std::string_view text, const ObjectReader& object);
  static bool Matches(const KnownKey& key, const char* text, uint32_t bytes) {
    const size_t size = key.text.size();
    if (size > bytes || (LoadWord(text) & key.head_mask) != key.head) return false;
    if (size <= 8) return true;
    if (LoadWord(text + size - 8) != key.tail) return false;
    return size <= 16 || std::memcmp(text, key.text.data(), size) == 0;
  }
  static uint64_t LoadWord(const char* bytes) {
    uint64_t word;
    std::memcpy(&word, bytes, sizeof(word));
    return word;
  }

  void GrowRows(int64_t rows);
  int32_t FindKey(ObjectReader* object, std::string_view text);
  bool ReadRoot();
  bool ReadWholeRecord();
  bool ReadObject(ObjectReader* object, int64_t row);
  bool FillMissing(ObjectReader* object, int64_t row);
  bool PrepareRepeated(ValueReader* field, const KnownKey& key, int64_t row);
  bool ReadValue(ValueReader* reader);
  bool ReadNull(ValueReader* reader);
  bool ReadStruct(ValueReader* reader);
  bool ReadArray(ValueReader* reader);
  bool ReadMap(ValueReader* reader);
  bool ReadRawText(ValueReader* reader);
  bool ReadString(ValueReader* reader);
  bool ReadTimestamp(ValueReader* reader);
  bool ReadBare(ValueReader* reader);
  bool AppendText(ColumnWriter* column, std::string_view inside);
  bool AppendMapKey(ValueReader* reader, std::string_view text);
  bool SkipValue();
  bool SkipNested();

  /// The inside of the string at `at_`, escapes unresolved.
  std::string_view StringInside() const;
  /// The text of the number or literal at `at_`.
  std::string_view BareText() const;

  bool FailSyntax(const char* what);
  bool FailValue(const ValueReader& reader, std::string_view text);
  bool FailedValue(std::string error);
  bool InField(const std::string& name);

  const JsonReadOptions options_;
  const TextRules rules_;
  ObjectReader root_;
  std::vector<std::unique_ptr<ColumnWriter>> columns_;
  int64_t num_rows_ = 0;
  int64_t capacity_ = 0;

  const char* buffer_ = nullptr;
  const uint32_t* at_ = nullptr;
  uint32_t bytes_end_ = 0;
  std::string error_;
  std::string error_path_;
  bool error_is_syntax_ = false;  // of the text's shape, not of a column's value
  std::string scratch_;
  TimestampReader times_;
};

}  // namespace laminar
