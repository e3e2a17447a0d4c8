#pragma once

/// A file that a sink is writing where no reader sees it: rows become bytes of its format.

#include <cstdint>
#include <memory>
#include <string>

#include "connectors/files/compression.h"
#include "connectors/filesystem/staging.h"
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
  /// Hands all rows to the output and syncs it; returns the length that holds them. Only if `resumable`.
  virtual int64_t Persist() = 0;
  /// Ends the file and closes its output; returns its length.
  virtual int64_t Close() = 0;
};

/// `length`: bytes that the output already has; not 0 only for record formats.
std::unique_ptr<StagedFile> MakeStagedFile(std::unique_ptr<StagedOutput> output, int64_t length,
                                           const FileWriteSpec& spec);

}  // namespace laminar
