#pragma once

/// One file being read, as batches: blocks of records for a decoder, or rows of a format that reads files
/// itself.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "connectors/connector.h"
#include "connectors/files/block_reader.h"
#include "formats/format.h"
#include "types/batch.h"

namespace laminar {

/// How the files of a table are read. Shared by all its splits.
struct FileReadSpec {
  std::shared_ptr<const FileAccess> files = LocalFiles();
  std::string compression;     ///< option text; empty: by suffix
  WholeRecords whole_records;  ///< record formats
  HeaderBytes header_bytes;    ///< empty: files have no header
  bool changes_fail = false;   ///< a file that was changed while it was read is an error
  const Format* format = nullptr;
  FormatSpec format_spec;
  Schema columns;                          ///< file formats: what the plan reads
  std::vector<std::string> metadata_keys;  ///< appended in order: "file"; the modification time comes last
};

/// True when the format reads whole files (Parquet) rather than records.
bool ReadsWholeFiles(const Format& format);
/// How the files of `table` are read. Throws UserError(kBadOption) for framing that files do not have.
std::shared_ptr<FileReadSpec> MakeFileReadSpec(const TableSpec& table);

class FileSplit {
 public:
  virtual ~FileSplit() = default;
  /// The next rows, without `split`; empty at the end. Record formats: one row per block, (payload BINARY,
  /// metadata…, event_time TIMESTAMP); the payload lies in the read buffer, with kBlockPadding readable bytes
  /// behind it. File formats: (columns…, metadata…, event_time).
  virtual Batch Next(int64_t rows_max) = 0;
  /// What to give `OpenFileSplit` to go on behind the last batch: bytes of uncompressed content, or rows.
  virtual int64_t position() const = 0;
  virtual int64_t bytes_read() const = 0;
};

/// `name` is what the metadata column `file` says.
std::unique_ptr<FileSplit> OpenFileSplit(const std::string& path, const std::string& name, int64_t position,
                                         std::shared_ptr<const FileReadSpec> spec);

/// One row: the block, which ends at byte `end` of the file, as a BINARY value that shares its memory.
Batch MakeBlockBatch(const RecordBlock& block, const std::string& name, int64_t end);
/// Appends the constant columns of a file to each row: metadata, then `modified_us` as the row time.
void AppendFileColumns(const std::string& name, int64_t modified_us,
                       const std::vector<std::string>& metadata_keys, Batch* batch);

/// The first bytes of a file for schema inference: up to 1 MiB of records, or of a format that reads
/// whole files the end (64 MiB), where Parquet has its footer.
std::string SampleFile(const std::string& path, const FileReadSpec& spec);

}  // namespace laminar
