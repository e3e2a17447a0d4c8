// Any bytes as a file, plain or compressed: cut into blocks by the rule of a format, the blocks joined are
// the file, from the start and from the place of any block. The first byte of the input chooses compression
// and block size.

#include <sys/mman.h>
#include <unistd.h>

#include "connectors/files/block_reader.h"
#include "fuzz/decode_anything.h"

namespace {

using namespace laminar;

constexpr int64_t kContentMax = 1 << 22;  // of a bomb, so much and no more

/// A file in memory that has a path.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view content) : fd_(memfd_create("fuzz", MFD_CLOEXEC)) {
    LAMINAR_CHECK(write(fd_, content.data(), content.size()) == static_cast<ssize_t>(content.size()),
                  "memfd");
  }
  ~MemoryFile() { close(fd_); }
  std::string path() const { return "/proc/self/fd/" + std::to_string(fd_); }

 private:
  const int fd_;
};

/// All blocks from `offset`, joined; positions of their starts.
std::string Join(const std::string& path, Compression compression, const WholeRecords& whole,
                 int64_t block_bytes, int64_t offset, std::vector<int64_t>* starts) {
  BlockReader reader(OpenFileInput(path, compression), whole, "", block_bytes);
  reader.SkipTo(offset);
  std::string all;
  while (static_cast<int64_t>(all.size()) < kContentMax) {
    if (starts) starts->push_back(reader.position());
    const RecordBlock block = reader.Next();
    if (!block.buffer) return all;
    LAMINAR_CHECK(block.size > 0 && block.buffer->size() >= block.size + kBlockPadding,
                  "a block without padding");
    all.append(reinterpret_cast<const char*>(block.buffer->data()), static_cast<size_t>(block.size));
    LAMINAR_CHECK(reader.position() == offset + static_cast<int64_t>(all.size()), "a wrong position");
  }
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const uint8_t choice = data[0];
  const std::string_view content = Bytes(data + 1, size - 1);
  const auto compression = static_cast<Compression>(choice % 3);
  const int64_t block_bytes = 1 + choice / 3;
  const FormatSpec spec = SpecOf({});
  const WholeRecords csv = [&](std::string_view bytes) {
    return static_cast<size_t>(FormatNamed("csv").last_record_end(spec, bytes));
  };
  const MemoryFile file(content);
  for (const WholeRecords& whole : {WholeRecords(WholeLines), WholeRecords(WholeFile), csv}) {
    try {
      std::vector<int64_t> starts;
      const std::string all = Join(file.path(), compression, whole, block_bytes, 0, &starts);
      if (static_cast<int64_t>(all.size()) >= kContentMax) continue;
      LAMINAR_CHECK(compression != Compression::kNone || all == content,
                    "blocks that do not make up the file");
      const int64_t from = starts[starts.size() / 2];
      LAMINAR_CHECK(Join(file.path(), compression, whole, block_bytes, from, nullptr) ==
                        all.substr(static_cast<size_t>(from)),
                    "another content from the middle");
    } catch (const ExternalError&) {
      LAMINAR_CHECK(compression != Compression::kNone, "a plain file that cannot be read");
    }
  }
  return 0;
}
