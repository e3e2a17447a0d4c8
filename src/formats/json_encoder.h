#pragma once

/// Rows as JSON objects (connectors.md "JSON ↔ SQL"): columns in order, no spaces.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "types/batch.h"
#include "types/type.h"

namespace laminar {

enum class TimestampStyle { kText, kSeconds, kMillis, kMicros, kNanos };
enum class DecimalStyle { kNumber, kString, kBytes };

struct JsonWriteOptions {
  TimestampStyle timestamps = TimestampStyle::kText;
  DecimalStyle decimals = DecimalStyle::kNumber;
};

/// A byte buffer that grows by itself and can be handed over to Arrow: what encoders write into.
class TextBuffer {
 public:
  TextBuffer();
  ~TextBuffer();

  /// Room for at least `bytes` more; write there and give the end to Advance.
  char* Room(int64_t bytes) {
    if (size_ + bytes > capacity_) Grow(bytes);
    return data_ + size_;
  }
  void Advance(const char* end) { size_ = end - data_; }
  void Append(std::string_view text) {
    char* out = Room(static_cast<int64_t>(text.size()));
    std::char_traits<char>::copy(out, text.data(), text.size());
    size_ += static_cast<int64_t>(text.size());
  }
  void Append(char c) {
    *Room(1) = c;
    ++size_;
  }
  int64_t size() const { return size_; }
  void Resize(int64_t size) { size_ = size; }
  std::string_view view() const { return {data_, static_cast<size_t>(size_)}; }
  char back() const { return data_[size_ - 1]; }
  void PopBack() { --size_; }

  /// Marks the end of a record.
  void EndRecord() { ends_.push_back(size_); }
  /// The records as an array; the buffer is empty afterwards. Throws QueryError when they have more than 2
  /// GiB.
  std::shared_ptr<arrow::BinaryArray> Finish();

 private:
  void Grow(int64_t bytes);

  std::shared_ptr<arrow::ResizableBuffer> buffer_;
  char* data_ = nullptr;
  int64_t size_ = 0;
  int64_t capacity_ = 0;
  std::vector<int64_t> ends_;
};

/// Writes values of one column. Made once per encoder, bound to each batch's array in turn.
class JsonValueWriter {
 public:
  JsonValueWriter(const Type& type, const JsonWriteOptions& options);
  ~JsonValueWriter();
  JsonValueWriter(JsonValueWriter&&) noexcept;

  void Bind(const arrow::Array& array);
  /// Appends the value of a row of the bound array.
  void Write(int64_t row, TextBuffer* out) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Writes objects of columns: `{"a":1,"b":null}`.
class JsonObjectWriter {
 public:
  JsonObjectWriter(const Schema& columns, const JsonWriteOptions& options);
  ~JsonObjectWriter();

  void Bind(const std::vector<std::shared_ptr<arrow::Array>>& columns);
  void Write(int64_t row, TextBuffer* out) const;

 private:
  std::vector<std::string> keys_;  // `{"a":`, `,"b":`
  std::vector<JsonValueWriter> values_;
};

}  // namespace laminar
