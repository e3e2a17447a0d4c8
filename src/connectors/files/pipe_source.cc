#include "connectors/files/pipe_source.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/arrow_result.h"
#include "connectors/option_text.h"

namespace laminar {

namespace {

constexpr size_t kQueuedBlocksMax = 4;
constexpr int kLingerMs = 5;

/// A descriptor that can be told to stop waiting.
class PipeInput {
 public:
  PipeInput(const std::string& path, bool standard_input) : name_(standard_input ? "standard input" : path) {
    stop_fd_ = ::eventfd(0, EFD_CLOEXEC);
    // O_NONBLOCK: opening a FIFO does not wait for its writer; poll does.
    fd_ = standard_input ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    owned_ = !standard_input;
    if (fd_ < 0) throw ExternalError("file", "cannot open '" + path + "': " + std::strerror(errno));
  }
  ~PipeInput() {
    if (owned_ && fd_ >= 0) ::close(fd_);
    if (stop_fd_ >= 0) ::close(stop_fd_);
  }
  PipeInput(const PipeInput&) = delete;

  void Stop() {
    const uint64_t one = 1;
    [[maybe_unused]] const ssize_t n = ::write(stop_fd_, &one, sizeof(one));
  }

  /// True when Read would not wait (data, end or error); false after `timeout_ms` (−1: none) or Stop.
  bool WaitReadable(int timeout_ms) {
    pollfd waited[2] = {{fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
    int ready;
    do {
      ready = ::poll(waited, 2, timeout_ms);
    } while (ready < 0 && errno == EINTR);
    return ready > 0 && waited[0].revents != 0 && waited[1].revents == 0;
  }

  /// 0 at the end; nullopt when there is nothing yet.
  std::optional<int64_t> Read(void* data, int64_t bytes_max) {
    while (true) {
      const ssize_t n = ::read(fd_, data, static_cast<size_t>(bytes_max));
      if (n >= 0) return n;
      if (errno == EAGAIN) return std::nullopt;
      if (errno != EINTR) throw ExternalError("file", "cannot read " + name_ + ": " + std::strerror(errno));
    }
  }

 private:
  const std::string name_;
  int fd_ = -1;
  int stop_fd_ = -1;
  bool owned_ = false;
};

struct PipeBlock {
  RecordBlock block;
  int64_t input_bytes = 0;  ///< of the block, without a repeated header
};

/// Fills blocks on its own thread: as large as the input allows while the task is behind, at once when it
/// waits.
class PipeReader {
 public:
  PipeReader(const std::string& path, std::shared_ptr<const FileReadSpec> spec, int64_t skip_bytes,
             std::function<void()> wake)
      : input_(path, path == "-"),
        spec_(std::move(spec)),
        skip_bytes_(skip_bytes),
        wake_(std::move(wake)),
        thread_([this] { Run(); }) {}

  ~PipeReader() {
    {
      std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    input_.Stop();
    room_.notify_all();
    thread_.join();
  }

  /// The next block if there is one. `*end` when no more will come. Rethrows what went wrong on the thread.
  std::optional<PipeBlock> Take(bool* end) {
    std::lock_guard lock(mutex_);
    if (blocks_.empty()) {
      if (error_) std::rethrow_exception(error_);
      *end = at_end_;
      return std::nullopt;
    }
    PipeBlock block = std::move(blocks_.front());
    blocks_.pop_front();
    room_.notify_all();
    return block;
  }

 private:
  void Run() {
    std::exception_ptr error;
    try {
      bool more = ReadStart();
      while (more) more = ReadBlock();
    } catch (...) {
      error = std::current_exception();  // thrown again by Take, in the task
    }
    std::lock_guard lock(mutex_);
    error_ = error;
    at_end_ = true;
    Wake();
  }

  /// Learns the header that every block must begin with, from the first record. False when stopping.
  bool ReadStart() {
    bool end = false;
    while (spec_->header_bytes && !end && spec_->whole_records(rest_) == 0) {
      char piece[1 << 16];
      if (!input_.WaitReadable(-1)) return false;
      const auto n = input_.Read(piece, sizeof(piece));
      if (!n) continue;
      end = *n == 0;
      rest_.append(piece, static_cast<size_t>(*n));
    }
    if (spec_->header_bytes) header_ = rest_.substr(0, spec_->header_bytes(rest_));
    header_in_rest_ = skip_bytes_ == 0;
    const auto skipped = std::min(static_cast<size_t>(skip_bytes_), rest_.size());
    rest_.erase(0, skipped);
    skip_bytes_ -= static_cast<int64_t>(skipped);
    return true;
  }

  /// Reads and queues about one block; false at the end and when stopping.
  bool ReadBlock() {
    const std::string start = std::exchange(header_in_rest_, false) ? "" : header_;
    const auto header = static_cast<int64_t>(start.size());
    int64_t filled = header + static_cast<int64_t>(rest_.size());
    int64_t capacity = std::max(kBlockBytes, 2 * filled);
    auto buffer = OrThrow(arrow::AllocateResizableBuffer(capacity + kBlockPadding), "read buffer");
    std::memcpy(buffer->mutable_data(), start.data(), start.size());
    std::memcpy(buffer->mutable_data() + header, rest_.data(), rest_.size());
    const auto whole_bytes = [&] {
      return static_cast<int64_t>(spec_->whole_records(std::string_view(*buffer).substr(0, filled)));
    };
    bool end = false;
    int64_t whole = rest_.empty() ? 0 : whole_bytes();
    while (!end) {
      // With whole records at hand: none to a waiting task, else a moment for the block to fill.
      const bool ready = whole > header;
      if (!input_.WaitReadable(!ready ? -1 : TaskWaits() ? 0 : kLingerMs)) {
        if (Stopping()) return false;
        if (ready) break;
        continue;
      }
      const auto n = input_.Read(buffer->mutable_data() + filled, capacity - filled);
      if (!n) continue;
      end = *n == 0;
      filled += *n;
      DropSkipped(buffer->mutable_data() + header, header, &filled);
      whole = whole_bytes();
      if (filled < capacity) continue;
      if (whole > header) break;
      if (capacity >= kRecordBytesMax) {
        throw ExternalError(
            "file", "a record of more than 1 GiB on a pipe: is it in the format that the table names?");
      }
      capacity *= 2;
      OrThrow(buffer->Resize(capacity + kBlockPadding, false), "read buffer");
    }
    if (end) whole = filled;
    whole = std::max(whole, header);
    rest_.assign(reinterpret_cast<const char*>(buffer->data()) + whole, static_cast<size_t>(filled - whole));
    if (whole > header) Push({{std::move(buffer), whole}, whole - header});
    return !end;
  }

  /// Drops from `data`, what lies behind the header, what an earlier run has read.
  void DropSkipped(uint8_t* data, int64_t header, int64_t* filled) {
    const int64_t bytes = *filled - header;
    const int64_t dropped = std::min(skip_bytes_, bytes);
    if (dropped == 0) return;
    std::memmove(data, data + dropped, static_cast<size_t>(bytes - dropped));
    *filled -= dropped;
    skip_bytes_ -= dropped;
  }

  void Push(PipeBlock block) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return stopping_ || blocks_.size() < kQueuedBlocksMax; });
    blocks_.push_back(std::move(block));
    Wake();
  }

  /// With the lock held: once the owner has begun to go away, its task is not touched any more.
  void Wake() {
    if (!stopping_) wake_();
  }

  bool TaskWaits() {
    std::lock_guard lock(mutex_);
    return blocks_.empty();
  }
  bool Stopping() {
    std::lock_guard lock(mutex_);
    return stopping_;
  }

  PipeInput input_;
  const std::shared_ptr<const FileReadSpec> spec_;
  // Of the thread only:
  int64_t skip_bytes_;
  const std::function<void()> wake_;
  std::string header_;
  std::string rest_;  // read, but not yet a whole record
  bool header_in_rest_ = true;

  std::mutex mutex_;  // guards what follows
  std::condition_variable room_;
  std::deque<PipeBlock> blocks_;
  bool stopping_ = false;
  bool at_end_ = false;
  std::exception_ptr error_;

  std::thread thread_;  // last: starts when all else is there
};

class PipeSource final : public Source {
 public:
  PipeSource(std::string path, std::shared_ptr<const FileReadSpec> spec)
      : path_(std::move(path)), spec_(std::move(spec)) {}

  PollResult Poll(Output& out) override {
    if (context_.subtask != 0) return PollResult::kEnd;
    if (ended_) return PollResult::kEnd;
    if (!announced_) {
      announced_ = true;
      out.EmitSplit({0, SplitEvent::Kind::kStarted, path_});
      reader_ = std::make_unique<PipeReader>(path_, spec_, position_, context_.wake);
    }
    bool end = false;
    const auto block = reader_->Take(&end);
    if (!block && !end) return PollResult::kWaiting;
    if (!block) {
      ended_ = true;
      reader_.reset();
      out.EmitSplit({0, SplitEvent::Kind::kFinished, path_});
      return PollResult::kEnd;
    }
    position_ += block->input_bytes;
    context_.metrics->bytes_in.Add(block->input_bytes);
    out.Emit(MakeBatch(block->block));
    return PollResult::kMore;
  }

  void Snapshot(SnapshotWriter& writer) override {
    if (context_.subtask == 0) writer.Table("splits").Put(kEverySubtask, path_, std::to_string(position_));
  }
  void Restore(const SnapshotReader& reader) override {
    reader.ForEach("splits", [&](const StateEntry& entry) {
      if (entry.key == path_) position_ = ParseIntegerText(entry.value).value_or(0);
    });
  }

 private:
  Batch MakeBatch(const RecordBlock& block) const {
    Batch batch = MakeBlockBatch(block, path_, position_);
    batch.split = 0;
    AppendFileColumns(path_, context_.clock->now_us(), spec_->metadata_keys, &batch);
    return batch;
  }

  const std::string path_;
  const std::shared_ptr<const FileReadSpec> spec_;
  int64_t position_ = 0;
  bool announced_ = false;
  bool ended_ = false;
  std::unique_ptr<PipeReader> reader_;
};

}  // namespace

std::unique_ptr<Source> MakePipeSource(std::string path, std::shared_ptr<const FileReadSpec> spec) {
  return std::make_unique<PipeSource>(std::move(path), std::move(spec));
}

}  // namespace laminar
