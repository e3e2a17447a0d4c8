#pragma once

/// Formats turn bytes into rows and back. Connectors move bytes and know no format; the decode and encode
/// operators (operators/decode.h, operators/encode.h) join the two.

#include <arrow/io/type_fwd.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "types/batch.h"
#include "types/type.h"

namespace laminar {

/// A record that does not fit: its bytes (valid while the decoded block is) and why.
struct BadRecord {
  std::string_view bytes;
  int64_t position;  ///< byte offset within the block
  std::string error;
};

struct DecodeResult {
  Batch batch;           ///< good rows in order; weights only for changelog formats
  int64_t consumed = 0;  ///< bytes of the block that were used; less than all when `rows_max` was reached
  std::vector<BadRecord> bad;  ///< not in `batch`
};

/// Decodes records of one table into the columns that the plan reads. One per subtask; not thread-safe.
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// `block` holds whole records: one message, or many framed by newlines (the last newline may be missing at
  /// the end of input). At most about `rows_max` rows per call; call again with the rest.
  virtual DecodeResult Decode(std::string_view block, int64_t rows_max) = 0;
  /// Many messages (each as a block of its own) into one batch: what a broker hands over at once.
  /// `row_messages`, when not null, gets for each row the number of its message, for metadata columns.
  /// `consumed` and BadRecord::position count messages here. At most about `rows_max` rows; call again with
  /// the rest.
  virtual DecodeResult DecodeMessages(const std::vector<std::string_view>& messages, int64_t rows_max,
                                      std::vector<int32_t>* row_messages);
};

/// Encodes rows as records. One per subtask; not thread-safe.
class Encoder {
 public:
  virtual ~Encoder() = default;
  /// A Binary array of [≤ num_rows] records without framing. Append-only formats get no weights. A changelog
  /// format gets weights −1 and +1 with an update as two neighbours (−old, +new) of one key, and may give one
  /// record for both.
  virtual std::shared_ptr<arrow::BinaryArray> Encode(const Batch& rows) = 0;
  /// Bytes before the first record of a file (the CSV header), with its newline.
  virtual std::string Header() const { return ""; }
};

/// Reads whole files that need random access (Parquet). One per file.
class FileReader {
 public:
  virtual ~FileReader() = default;
  /// The next rows in file order; an empty batch at the end. Throws ExternalError or QueryError.
  virtual Batch Next(int64_t rows_max) = 0;
  virtual void SkipRows(int64_t rows) = 0;
  virtual Schema file_schema() const = 0;
};

class FileWriter {
 public:
  virtual ~FileWriter() = default;
  virtual void Write(const Batch& rows) = 0;
  virtual void Close() = 0;
  virtual int64_t bytes_written() const = 0;
};

/// `'json.timestamp_format' = …` arrives here as {"timestamp_format", …}: names folded to lower case and `_`.
struct FormatOption {
  std::string value;
  SourceSpan span;
  mutable bool used = false;  ///< set by whoever reads it; what stays unused is an UNKNOWN_OPTION
};
using FormatOptions = std::map<std::string, FormatOption>;

enum class FramingMethod { kNone, kNewline, kLength };

struct FormatSpec {
  FormatOptions options;
  FramingMethod framing = FramingMethod::kNone;
  int64_t line_bytes_max = 0;    ///< newline framing: longer is a bad record; 0: no limit
  bool one_message = false;      ///< a block is one message (Kafka), not a piece of a file
  std::vector<int> primary_key;  ///< columns of `table_columns` (or of a sink's rows), for changelog formats
  std::string table_name;
  /// All physical columns in declared order, where the plan may read fewer; empty: what the plan reads is
  /// all. For formats that match by place (CSV without header).
  Schema table_columns;
};

struct FormatDoc {
  std::string name;
  std::string description;
  std::vector<std::pair<std::string, std::string>> options;  ///< name, meaning with default
};

/// A format: what it can do and how to make its parts. Functions that a format lacks are empty.
struct Format {
  std::vector<std::string> names;  ///< canonical first: {"debezium_json", "debezium-json"}
  FormatDoc doc;
  bool changelog = false;        ///< carries updates and deletes
  bool newline_implied = false;  ///< csv: always framed by lines
  bool order_dependent =
      false;  ///< a record can only be decoded after those before it (CSV with header: no; debezium: yes)
  std::string file_suffix;  ///< "json"

  /// `columns` is what the plan reads (a subset of the table's columns, STRUCTs pruned to the fields that are
  /// read), in the order wanted. Throws UserError(kBadOption) for options it does not take.
  std::function<std::unique_ptr<Decoder>(const FormatSpec&, const Schema& columns)> make_decoder;
  std::function<std::unique_ptr<Encoder>(const FormatSpec&, const Schema& columns)> make_encoder;
  std::function<std::unique_ptr<FileReader>(const FormatSpec&, std::shared_ptr<arrow::io::RandomAccessFile>,
                                            const Schema& columns)>
      open_file;
  std::function<std::unique_ptr<FileWriter>(const FormatSpec&, std::shared_ptr<arrow::io::OutputStream>,
                                            const Schema& columns)>
      create_file;
  /// Offset behind the last whole record of a block that begins with a record, 0 when none is whole: where a
  /// connector may cut. Empty: records end at each newline (with newline framing), wherever it stands.
  std::function<int64_t(const FormatSpec&, std::string_view block)> last_record_end;
  /// Bytes at the start of a file that every block of it must begin with (the header line of CSV): a
  /// connector that reads one file in several tasks, or from the middle, puts them before each block. Empty:
  /// none. A decoder that gets a file's blocks in order from the first needs no repetition.
  std::function<int64_t(const FormatSpec&, std::string_view start)> header_bytes;
  /// Schema of sample bytes (the first piece of a file; for formats with `open_file` its end), for tables
  /// without a column list. Empty: cannot infer.
  std::function<Schema(const FormatSpec&, std::string_view sample)> infer;
  /// The only schema that the format can have (raw, and json with `unstructured`: one `value` column). Empty
  /// function, or no columns: any.
  std::function<Schema(const FormatSpec&)> fixed_schema;
};

class FormatRegistry {
 public:
  void Add(Format format);
  const Format* Find(std::string_view name) const;  ///< any case, `-` equals `_`; nullptr when unknown
  std::vector<std::string> names() const;
  std::vector<const Format*> formats() const;

 private:
  std::map<std::string, std::shared_ptr<const Format>> formats_;
};

}  // namespace laminar
