#include "formats/json_record_reader.h"

#include <algorithm>
#include <cstring>

#include "formats/json_index.h"
#include "formats/json_walker.h"

namespace laminar {

namespace {

constexpr int64_t kPieceBytes = 128 << 10;    // text and its tokens stay within the second-level cache
constexpr int64_t kBatchBytesMax = 64 << 20;  // text of one batch: keeps every column far from Arrow's 2 GiB
constexpr int64_t kRecordBytesMax = int64_t{1} << 30;
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

/// Offset behind the last newline before `limit`, or `from` when there is none.
int64_t BehindLastNewline(std::string_view block, int64_t from, int64_t limit) {
  const void* found = memrchr(block.data() + from, '\n', static_cast<size_t>(limit - from));
  return found ? static_cast<const char*>(found) - block.data() + 1 : from;
}

/// Offset behind the next newline from `from` on, or the block's end.
int64_t BehindNextNewline(std::string_view block, int64_t from) {
  const void* found = std::memchr(block.data() + from, '\n', block.size() - static_cast<size_t>(from));
  return found ? static_cast<const char*>(found) - block.data() + 1 : static_cast<int64_t>(block.size());
}

}  // namespace

class JsonRecordReader::Impl {
 public:
  Impl(const JsonReadOptions& options, const Schema& columns)
      : options_(options), walker_(options, columns) {}

  DecodeResult Decode(std::string_view block, int64_t rows_max, std::vector<std::string_view>* row_records) {
    Begin(rows_max, static_cast<int64_t>(block.size()), row_records, nullptr);
    block_ = block;
    int64_t at = block.starts_with(kByteOrderMark) ? static_cast<int64_t>(kByteOrderMark.size()) : 0;
    const auto size = static_cast<int64_t>(block.size());
    if (!options_.lines) {
      messages_ = {block.substr(static_cast<size_t>(at))};
      ReadMessages(0);
      at = size;
    }
    while (at < size && !Full() && at < kBatchBytesMax) at = ReadPiece(at);
    return Take(std::min(at, size));
  }

  DecodeResult DecodeMessages(const std::vector<std::string_view>& messages, int64_t rows_max,
                              std::vector<int32_t>* row_messages,
                              std::vector<std::string_view>* row_records) {
    Begin(rows_max, static_cast<int64_t>(messages.size()) * average_bytes_, row_records, row_messages);
    messages_ = messages;
    size_t done = 0;
    int64_t bytes = 0;
    while (done < messages_.size() && !Full() && bytes < kBatchBytesMax) {
      const size_t before = done;
      done = ReadMessages(done);
      for (size_t i = before; i < done; ++i) bytes += static_cast<int64_t>(messages_[i].size());
    }
    return Take(static_cast<int64_t>(done));
  }

 private:
  void Begin(int64_t rows_max, int64_t bytes, std::vector<std::string_view>* row_records,
             std::vector<int32_t>* row_messages) {
    rows_max_ = rows_max;
    row_records_ = row_records;
    row_messages_ = row_messages;
    if (row_records_) row_records_->clear();
    if (row_messages_) row_messages_->clear();
    result_ = DecodeResult();
    walker_.ReserveRows(std::min(rows_max, bytes / average_bytes_ + bytes / average_bytes_ / 16 + 16));
  }

  DecodeResult Take(int64_t consumed) {
    if (walker_.num_rows() >= 64) average_bytes_ = std::max<int64_t>(8, bytes_read_ / walker_.num_rows());
    bytes_read_ = 0;
    result_.consumed = consumed;
    result_.batch = walker_.Finish();
    return std::move(result_);
  }

  bool Full() const { return walker_.num_rows() >= rows_max_; }

  // -- records as lines

  /// Reads lines from `at` on, about kPieceBytes of them; returns how far it came.
  int64_t ReadPiece(int64_t at) {
    const auto size = static_cast<int64_t>(block_.size());
    const int64_t wanted =
        std::min(kPieceBytes, (rows_max_ - walker_.num_rows()) * (average_bytes_ + average_bytes_ / 4) + 512);
    int64_t end = at + wanted >= size ? size : BehindLastNewline(block_, at, at + wanted);
    if (end <= at) end = BehindNextNewline(block_, at + wanted);
    if (end + JsonWalker::kPadding > size || block_[static_cast<size_t>(end) - 1] != '\n') {
      // Text near the block's end has no padding behind it: all but the last lines are read in place.
      const int64_t limit = std::min(end, size - JsonWalker::kPadding);
      const int64_t padded_end = limit > at ? BehindLastNewline(block_, at, limit) : at;
      if (padded_end == at) return ReadCopied(at, end);
      end = padded_end;
    }
    return at + ReadLines(block_.data() + at, end - 1 - at, at);
  }

  int64_t ReadCopied(int64_t at, int64_t end) {
    int64_t bytes = end - at;
    if (block_[static_cast<size_t>(end) - 1] == '\n') --bytes;
    copy_.assign(block_.data() + at, static_cast<size_t>(bytes));
    copy_.push_back('\n');
    copy_.append(JsonWalker::kPadding, '\0');
    const int64_t read = at + ReadLines(copy_.data(), bytes, at);
    if (copy_.capacity() > 16 << 20) copy_ = std::string();
    return std::min(read, end);
  }

  /// Reads the lines of text[0..bytes), behind which is a newline and padding, until the batch is full.
  /// `origin` is where the text is in the block. Returns the bytes used, with the newline of the last line.
  int64_t ReadLines(const char* text, int64_t bytes, int64_t origin) {
    const bool whole = bytes <= kRecordBytesMax && !index_.Build({text, static_cast<size_t>(bytes)});
    if (whole) walker_.Start(text, index_.tokens());
    int64_t start = 0;
    while (start <= bytes && !Full()) {
      const void* found = std::memchr(text + start, '\n', static_cast<size_t>(bytes - start) + 1);
      const int64_t end = static_cast<const char*>(found) - text;
      const std::string_view record =
          block_.substr(static_cast<size_t>(origin + start), static_cast<size_t>(end - start));
      if (whole) {
        ReadRecord(record, static_cast<uint32_t>(end), origin + start);
      } else {
        ReadAlone(text + start, record.size(), record, origin + start);
      }
      start = end + 1;
    }
    bytes_read_ += start;
    return start;
  }

  // -- records as messages

  /// Reads messages from `first` on, about kPieceBytes of them; returns the first that it left.
  size_t ReadMessages(size_t first) {
    // Joined by newlines, so that indexing, padding and the proof that no string runs on are those of lines.
    copy_.clear();
    ends_.clear();
    size_t next = first;
    const auto rows_left = static_cast<size_t>(rows_max_ - walker_.num_rows());
    while (next < messages_.size() && next - first < rows_left &&
           (next == first || copy_.size() < kPieceBytes)) {
      const std::string_view message = Payload(messages_[next++]);
      copy_.append(message);
      ends_.push_back(copy_.size());
      copy_.push_back('\n');
    }
    const size_t bytes = copy_.size() - 1;
    copy_.append(JsonWalker::kPadding, '\0');
    const bool whole = static_cast<int64_t>(bytes) <= kRecordBytesMax && !index_.Build({copy_.data(), bytes});
    if (whole) walker_.Start(copy_.data(), index_.tokens());
    size_t start = 0;
    for (size_t i = first; i < next; ++i) {
      message_ = static_cast<int32_t>(i);
      const size_t end = ends_[i - first];
      // A single block is given by position 0; of many messages it is the message's number.
      const int64_t position = row_messages_ ? static_cast<int64_t>(i) : 0;
      if (whole) {
        ReadRecord(messages_[i], static_cast<uint32_t>(end), position);
      } else {
        ReadAlone(copy_.data() + start, end - start, messages_[i], position);
      }
      start = end + 1;
    }
    bytes_read_ += static_cast<int64_t>(bytes);
    if (copy_.capacity() > 16 << 20) copy_ = std::string();
    return next;
  }

  std::string_view Payload(std::string_view message) const {
    if (options_.registry_prefix && message.size() >= 5 && message[0] == '\0') message.remove_prefix(5);
    return message.starts_with(kByteOrderMark) ? message.substr(kByteOrderMark.size()) : message;
  }

  // -- one record

  void ReadRecord(std::string_view record, uint32_t bytes_end, int64_t position) {
    if (walker_.AtBlank(bytes_end)) return;
    if (options_.line_bytes_max > 0 && static_cast<int64_t>(record.size()) > options_.line_bytes_max) {
      walker_.SkipRecord(bytes_end);
      return TooLong(record, position, options_.line_bytes_max);
    }
    if (walker_.ReadRecord(bytes_end)) {
      if (row_records_) row_records_->push_back(record);
      if (row_messages_) row_messages_->push_back(message_);
      return;
    }
    result_.bad.push_back({record, position, walker_.error()});
  }

  /// A record that cannot be indexed with its neighbours. A newline and padding follow the text.
  void ReadAlone(const char* text, size_t bytes, std::string_view record, int64_t position) {
    if (static_cast<int64_t>(bytes) > kRecordBytesMax) return TooLong(record, position, kRecordBytesMax);
    if (const char* error = index_.Build({text, bytes})) {
      result_.bad.push_back({record, position, error});
      return;
    }
    walker_.Start(text, index_.tokens());
    ReadRecord(record, static_cast<uint32_t>(bytes), position);
  }

  void TooLong(std::string_view record, int64_t position, int64_t bytes_max) {
    result_.bad.push_back({record, position,
                           "the record has " + std::to_string(record.size()) +
                               " bytes, more than the limit of " + std::to_string(bytes_max)});
  }

  const JsonReadOptions options_;
  JsonWalker walker_;
  JsonIndex index_;
  int64_t rows_max_ = 0;
  int64_t average_bytes_ = 128;  // of a record, as last seen
  int64_t bytes_read_ = 0;
  std::string_view block_;
  std::vector<std::string_view> messages_;
  std::vector<size_t> ends_;  // of each message in `copy_`
  int32_t message_ = 0;
  std::string copy_;
  DecodeResult result_;
  std::vector<std::string_view>* row_records_ = nullptr;
  std::vector<int32_t>* row_messages_ = nullptr;
};

JsonRecordReader::JsonRecordReader(const JsonReadOptions& options, const Schema& columns)
    : impl_(std::make_unique<Impl>(options, columns)) {}
JsonRecordReader::~JsonRecordReader() = default;

DecodeResult JsonRecordReader::Decode(std::string_view block, int64_t rows_max,
                                      std::vector<std::string_view>* row_records) {
  return impl_->Decode(block, rows_max, row_records);
}

DecodeResult JsonRecordReader::DecodeMessages(const std::vector<std::string_view>& messages, int64_t rows_max,
                                              std::vector<int32_t>* row_messages,
                                              std::vector<std::string_view>* row_records) {
  return impl_->DecodeMessages(messages, rows_max, row_messages, row_records);
}

}  // namespace laminar
