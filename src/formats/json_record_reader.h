#pragma once

/// JSON records into columns: the hottest code of the product. For each block
///  1. JsonIndex finds the tokens of a piece of about 128 KiB (many records at once);
///  2. we walk each record's tokens; objects predict their fields from the last record's, so a known field
///  costs one
///     compare of its name, and an unwanted one is stepped over without looking at its value;
///  3. wanted values go from the text straight into ColumnWriters.
/// A record that fails is taken back from the columns. If step 1 fails for the piece (a string that does not
/// end would turn its neighbours inside out), the piece is indexed record by record, so one bad record never
/// spoils another.
///
/// Fields that nobody reads are checked only for UTF-8, string ends and brackets; what is read is checked
/// wholly.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "formats/format.h"
#include "formats/text_value.h"
#include "types/type.h"

namespace laminar {

struct JsonReadOptions {
  bool lines = true;             ///< one record per line; else a block is one record
  int64_t line_bytes_max = 0;    ///< longer is a bad record; 0: no limit
  bool unstructured = false;     ///< the whole record as JSON into the first column
  bool decimal_bytes = false;    ///< DECIMALs are base64 of big-endian unscaled bytes
  bool registry_prefix = false;  ///< each record starts with a zero byte and a four-byte schema id
  EpochUnit epoch_unit = EpochUnit::kAuto;
};

class JsonRecordReader {
 public:
  JsonRecordReader(const JsonReadOptions& options, const Schema& columns);
  ~JsonRecordReader();

  /// As Decoder::Decode. `row_records`, when not null, gets the bytes of the record behind each row.
  DecodeResult Decode(std::string_view block, int64_t rows_max,
                      std::vector<std::string_view>* row_records = nullptr);
  /// As Decoder::DecodeMessages.
  DecodeResult DecodeMessages(const std::vector<std::string_view>& messages, int64_t rows_max,
                              std::vector<int32_t>* row_messages,
                              std::vector<std::string_view>* row_records = nullptr);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace laminar
