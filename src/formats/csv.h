#pragma once

/// CSV as RFC 4180 has it, with options for delimiter, quote, escape and NULL.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/format.h"

namespace laminar {

struct CsvDialect {
  char delimiter = ',';
  char quote = '"';
  char escape = '"';  ///< equal to `quote`: a doubled quote stands for one
  bool header = true;
  std::string null_string;
};

/// Throws UserError for options that are no dialect. Messages of a broker have no header unless the option
/// asks for it.
CsvDialect CsvDialectOf(const FormatSpec& spec);

/// One field as it stands in the text.
struct CsvField {
  std::string_view text;  ///< without the outer quotes
  bool quoted = false;
  bool escaped = false;  ///< `text` holds escapes to resolve
};

enum class CsvRecordEnd {
  kNewline,     ///< the record ended at a newline
  kTextEnd,     ///< the text ended with the record
  kOpenQuote,   ///< the text ended inside quotes
  kAfterQuote,  ///< something other than a delimiter follows a closing quote; the rest of the line was passed
                ///< over
};

/// Splits the record at the start of `text` into fields (`fields` is overwritten) and sets `*bytes` to its
/// size with the newline (`\n` or `\r\n`). Of an open quote `*bytes` is the size of its first line.
CsvRecordEnd SplitCsvRecord(std::string_view text, const CsvDialect& dialect, std::vector<CsvField>* fields,
                            int64_t* bytes);

/// The field's value with escapes resolved; `scratch` holds it when it differs from the text.
std::string_view CsvFieldValue(const CsvField& field, const CsvDialect& dialect, std::string* scratch);

/// Offset behind the record that starts at `from`, newlines within quotes not counted; −1 when the text ends
/// before.
int64_t FindRecordEnd(std::string_view text, int64_t from, const CsvDialect& dialect);
/// Offset behind the last whole record of text that begins with a record; 0 when none is whole.
int64_t FindLastRecordEnd(std::string_view text, const CsvDialect& dialect);

}  // namespace laminar
