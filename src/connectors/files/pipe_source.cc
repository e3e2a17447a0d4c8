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

/// Fills blocks on its own thread: as large as the input allows while the task is behind, at once when it waits.
class PipeReader {
 public:
  PipeReader(const std::string& path, WholeRecords whole_records, int64_t skip_bytes, std::function<void()> wake)
      : input_(path, path == "-"), whole_records_(std::move(whole_records)), skip_bytes_(skip_bytes),
        wake_(std::move(wake)), thread_([this] { Run(); }) {}

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
  std::optional<RecordBlock> Take(bool* end) {
    std::lock_guard lock(mutex_);
    if (blocks_.empty()) {
      if (error_) std::rethrow_exception(error_);
      *end = at_end_;
      return std::nullopt;
    }
    RecordBlock block = std::move(blocks_.front());
    blocks_.pop_front();
    room_.notify_all();
    return block;
  }

 private:
  void Run() {
    std::exception_ptr error;
    try {
      while (ReadBlock()) {
      }
    } catch (...) {
      error = std::current_exception();  // thrown again by Take, in the task
    }
    {
      std::lock_guard lock(mutex_);
      error_ = error;
      at_end_ = true;
    }
    wake_();
  }

  /// Reads and queues about one block; false at the end and when stopping.
  bool ReadBlock() {
    const int64_t rest = static_cast<int64_t>(rest_.size());
    int64_t capacity = std::max(kBlockBytes, 2 * rest);
    auto buffer = OrThrow(arrow::AllocateResizableBuffer(capacity + kBlockPadding), "read buffer");
    std::memcpy(buffer->mutable_data(), rest_.data(), rest_.size());
    int64_t filled = rest;
    bool end = false;
    int64_t whole = 0;
    while (!end) {
      // With whole records at hand: none to a waiting task, else a moment for the block to fill.
      if (!input_.WaitReadable(whole == 0 ? -1 : TaskWaits() ? 0 : kLingerMs)) {
        if (Stopping()) return false;
        if (whole > 0) break;
        continue;
      }
      const auto n = input_.Read(buffer->mutable_data() + filled, capacity - filled);
      if (!n) continue;
      end = *n == 0;
      filled += *n;
      DropSkipped(buffer->mutable_data(), &filled);
      whole = static_cast<int64_t>(whole_records_(std::string_view(*buffer).substr(0, filled)));
      if (filled < capacity) continue;
      if (whole > 0) break;
      if (capacity >= kRecordBytesMax) {
        throw ExternalError("file", "a record of more than 1 GiB on a pipe: is it in the format that the table names?");
      }
      capacity *= 2;
      OrThrow(buffer->Resize(capacity + kBlockPadding, false), "read buffer");
    }
    if (end) whole = filled;
    rest_.assign(reinterpret_cast<const char*>(buffer->data()) + whole, static_cast<size_t>(filled - whole));
    if (whole > 0) Push({std::move(buffer), whole});
    return !end;
  }

  void DropSkipped(uint8_t* data, int64_t* filled) {
    const int64_t dropped = std::min(skip_bytes_, *filled);
    if (dropped == 0) return;
    std::memmove(data, data + dropped, static_cast<size_t>(*filled - dropped));
    *filled -= dropped;
    skip_bytes_ -= dropped;
  }

  void Push(RecordBlock block) {
    {
      std::unique_lock lock(mutex_);
      room_.wait(lock, [&] { return stopping_ || blocks_.size() < kQueuedBlocksMax; });
      blocks_.push_back(std::move(block));
    }
    wake_();
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
  const WholeRecords whole_records_;
  int64_t skip_bytes_;
  const std::function<void()> wake_;
  std::string rest_;  // thread only

  std::mutex mutex_;  // guards what follows
  std::condition_variable room_;
  std::deque<RecordBlock> blocks_;
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
    if (context_.subtask != 0) {
      if (!announced_) out.EmitIdle(true);
      announced_ = true;
      return PollResult::kEnd;
    }
    if (ended_) return PollResult::kEnd;
    if (!announced_) {
      announced_ = true;
      out.EmitSplit({0, SplitEvent::Kind::kStarted, path_});
      reader_ = std::make_unique<PipeReader>(path_, spec_->whole_records, position_, context_.wake);
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
    position_ += block->size;
    context_.metrics->bytes_in.Add(block->size);
    out.Emit(MakeBatch(*block));
    return PollResult::kMore;
  }

  void Snapshot(SnapshotWriter& writer) override {
    if (context_.subtask == 0) writer.Table("splits").Put(kEverySubtask, path_, std::to_string(position_));
  }
  void Restore(const SnapshotReader& reader) override {
    reader.ForEach("splits", [&](const StateEntry& entry) {
      if (entry.key == path_) position_ = ParseInteger(entry.value).value_or(0);
    });
  }

 private:
  Batch MakeBatch(const RecordBlock& block) const {
    Batch batch = MakeBlockBatch(block);
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
