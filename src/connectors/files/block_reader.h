#pragma once

/// Cuts a byte stream into blocks of whole records, so that decoding needs no copy and no state between
/// blocks.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "connectors/files/compression.h"
#include "connectors/files/file_access.h"

namespace laminar {

/// How many bytes at the front of `bytes` are whole records (their terminators included); 0 when not even one
/// is.
using WholeRecords = std::function<size_t(std::string_view bytes)>;

/// How many bytes at the start of a file every block must begin with (the header line of CSV).
using HeaderBytes = std::function<size_t(std::string_view start)>;

/// Records end at '\n'.
size_t WholeLines(std::string_view bytes);
/// There is one record, up to the end of the file.
size_t WholeFile(std::string_view bytes);

/// Some thousand records of usual size, and fits a core's cache.
inline constexpr int64_t kBlockBytes = 2 << 20;
/// What a row is taken to have, to turn the rows of a batch into the bytes of a block.
inline constexpr int64_t kRowBytes = 256;
/// Bytes behind a block that may be read (their values mean nothing): simdjson then parses in place.
inline constexpr int64_t kBlockPadding = 64;
/// A record longer than this ends the job: the stream is not what its format says.
inline constexpr int64_t kRecordBytesMax = int64_t{1} << 30;

/// Bytes in order, from anywhere.
class ByteInput {
 public:
  virtual ~ByteInput() = default;
  /// Fills `data` with up to `bytes_max` > 0 bytes; 0 only at the end.
  virtual int64_t Read(void* data, int64_t bytes_max) = 0;
  /// About how many bytes are still to come, to size buffers; −1: unknown.
  virtual int64_t RemainingHint() const { return -1; }
  /// Leaves out the next `bytes`. Throws ExternalError when the input is shorter.
  virtual void Skip(int64_t bytes);
  virtual const std::string& name() const = 0;
};

/// A file, decompressed on the way. Throws ExternalError when it cannot be opened or read.
std::unique_ptr<ByteInput> OpenFileInput(const std::string& path, Compression compression,
                                         const FileAccess& files = *LocalFiles());

struct RecordBlock {
  std::shared_ptr<arrow::Buffer>
      buffer;        ///< `size` bytes, with kBlockPadding readable ones behind; null at the end
  int64_t size = 0;  ///< with the header
};

class BlockReader {
 public:
  /// `header` is what the input begins with and every block must begin with too: it is put before all blocks
  /// but the first.
  BlockReader(std::unique_ptr<ByteInput> input, WholeRecords whole_records, std::string header = "",
              int64_t block_bytes = kBlockBytes);
  /// Starts at byte `offset` of the (uncompressed) input; before the first Next.
  void SkipTo(int64_t offset);
  /// How big the next blocks are to be, if records allow.
  void set_block_bytes(int64_t block_bytes) { block_bytes_ = block_bytes; }
  /// The next block; at the end one without a buffer. The last record may lack its terminator.
  RecordBlock Next();
  /// Offset in the (uncompressed) input of the first byte that Next has not given out.
  int64_t position() const { return position_; }

 private:
  int64_t FirstCapacity() const;

  std::unique_ptr<ByteInput> input_;
  const WholeRecords whole_records_;
  const std::string header_;
  int64_t block_bytes_;
  int64_t position_ = 0;
  bool at_end_ = false;
  std::shared_ptr<arrow::Buffer>
      rest_;  // the unfinished record behind the last block; null when there is none
};

}  // namespace laminar
