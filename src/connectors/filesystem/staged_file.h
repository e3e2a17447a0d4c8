#pragma once

/// A file that a sink is writing under a name that no reader sees.

#include <cstdint>
#include <memory>
#include <string>

#include "connectors/files/compression.h"
#include "formats/format.h"
#include "types/batch.h"

namespace laminar {

/// How files are encoded. One per subtask: holds its encoder.
struct FileWriteSpec {
  const Format* format = nullptr;
  FormatSpec format_spec;
  Schema columns;
  Compression compression = Compression::kNone;  ///< of record formats, around the records
  std::shared_ptr<Encoder> encoder;              ///< record formats
};

class StagedFile {
 public:
  virtual ~StagedFile() = default;
  virtual void Write(const Batch& rows) = 0;
  /// Bytes so far, with those that are still buffered.
  virtual int64_t bytes() const = 0;
  /// Whether a file that was cut at what `Persist` returned can be continued.
  virtual bool resumable() const = 0;
  /// Brings all rows to the disk; returns the length that holds them. Only if `resumable`.
  virtual int64_t Persist() = 0;
  /// Ends the file and brings it to the disk; returns its length.
  virtual int64_t Close() = 0;
};

std::unique_ptr<StagedFile> CreateStagedFile(const std::string& path, const FileWriteSpec& spec);
/// Goes on behind the first `length` bytes and drops what follows. Record formats only.
std::unique_ptr<StagedFile> ResumeStagedFile(const std::string& path, int64_t length,
                                             const FileWriteSpec& spec);

}  // namespace laminar
