#pragma once

/// Kernels from lambdas. A scalar function that looks at one row at a time is a call of `Map`:
///
///     Map<std::string_view, int64_t>(call, arrow::int64(), [](std::string_view text, int64_t n) { return …;
///     })
///
/// Argument types are those of ColumnReader. A row with a NULL argument gives NULL and the lambda is not
/// called. All arguments constant: the lambda runs once and the result is a Scalar. The lambda's result may
/// be
///   - a value: bool, (u)int8…64, float, double, Decimal128, MonthDayNanos;
///   - std::string or std::string_view, copied into a TEXT, JSON or BYTEA column;
///   - std::optional of these: nullopt is NULL.
/// A lambda that can fail takes `BatchError&` as a further last parameter; the batch's first failure becomes
/// the Status. `MapText` is for text that is written piece by piece, `MapTotal` for cheap arithmetic. Include
/// only from .cc files.

#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/datum.h>
#include <arrow/result.h>
#include <arrow/scalar.h>
#include <arrow/status.h>

#include <concepts>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "functions/column_reader.h"
#include "functions/registry.h"

namespace laminar {

/// The first failure of a batch. Text is made once, however many rows fail.
class BatchError {
 public:
  bool failed() const { return failed_; }
  void Fail(std::string_view text) {
    if (failed_) return;
    failed_ = true;
    text_ = text;
  }
  /// `make_text` is only called for the first failure: error.Fail([&] { return fmt::format("…", value); })
  template <typename MakeText>
    requires std::invocable<MakeText>
  void Fail(MakeText&& make_text) {
    if (!failed_) Fail(std::string_view(std::string(make_text())));
  }
  arrow::Status status() const { return failed_ ? arrow::Status::Invalid(text_) : arrow::Status::OK(); }

 private:
  bool failed_ = false;
  std::string text_;
};

/// What a strict kernel has to compute.
struct CallShape {
  bool constant = true;   ///< all arguments are Scalars: compute one row, give a Scalar
  bool all_null = false;  ///< some constant argument is NULL: so is every row
  int64_t rows = 0;       ///< to compute
  std::shared_ptr<arrow::Buffer>
      valid;  ///< [rows] bits, offset 0: no argument is NULL. Null pointer: all of them

  bool IsValid(int64_t row) const { return !valid || arrow::bit_util::GetBit(valid->data(), row); }
};
/// `args`: those that make the result NULL.
CallShape ShapeOf(const std::vector<arrow::Datum>& args, int64_t num_rows);
inline CallShape ShapeOf(const ScalarCall& call) { return ShapeOf(call.args, call.num_rows); }

/// A column that is done: the array, or its only row when the shape is constant. `buffers` without the
/// validity.
arrow::Datum FinishColumn(const CallShape& shape, const std::shared_ptr<arrow::DataType>& type,
                          std::shared_ptr<arrow::Buffer> valid,
                          std::vector<std::shared_ptr<arrow::Buffer>> buffers);
/// Same for a whole array of shape.rows (nested results).
arrow::Result<arrow::Datum> FinishArray(const CallShape& shape, const std::shared_ptr<arrow::Array>& array);
arrow::Datum NullDatum(const std::shared_ptr<arrow::DataType>& type);

/// Uninitialised memory, or zeroed for `bits`. Aborts when there is none.
std::shared_ptr<arrow::Buffer> AllocateBytes(int64_t bytes);
std::shared_ptr<arrow::Buffer> AllocateBits(int64_t bits, bool value);

/// Validity that starts as the arguments' and may get more NULLs.
class ValidityWriter {
 public:
  explicit ValidityWriter(const CallShape& shape) : rows_(shape.rows), buffer_(shape.valid) {}
  void SetNull(int64_t row) {
    if (!bits_) MakeOwn();
    arrow::bit_util::ClearBit(bits_, row);
  }
  std::shared_ptr<arrow::Buffer> Finish() { return std::move(buffer_); }

 private:
  void MakeOwn();
  int64_t rows_;
  std::shared_ptr<arrow::Buffer> buffer_;
  uint8_t* bits_ = nullptr;
};

/// Text (or bytes) of one column, row after row. A row is what was appended since the last EndRow.
class TextWriter {
 public:
  /// `bytes_hint`: expected total, to reserve once.
  TextWriter(int64_t rows, int64_t bytes_hint);

  void Append(std::string_view text) {
    char* to = Reserve(text.size());
    if (!text.empty()) std::memcpy(to, text.data(), text.size());
    size_ += text.size();
  }
  void Push(char c) {
    *Reserve(1) = c;
    ++size_;
  }
  void AppendRepeated(char c, size_t count) {
    std::memset(Reserve(count), c, count);
    size_ += count;
  }
  void AppendCodePoint(uint32_t code_point);  ///< as UTF-8
  /// Room for `bytes` more at the returned place; call Advance with what was used of it.
  char* Reserve(size_t bytes) {
    if (size_ + bytes > capacity_) [[unlikely]] {
      Grow(size_ + bytes);
    }
    return data_ + size_;
  }
  void Advance(size_t bytes) { size_ += bytes; }
  /// What the row holds so far.
  std::string_view row() const { return {data_ + row_start_, size_ - row_start_}; }
  void TruncateRow(size_t length) { size_ = row_start_ + length; }

  void EndRow() {
    row_start_ = size_;
    *next_offset_++ = static_cast<int32_t>(size_);
  }
  /// Offsets and bytes, for FinishColumn. Invalid when the column is past 2 GiB.
  arrow::Result<std::vector<std::shared_ptr<arrow::Buffer>>> Finish();

 private:
  void Grow(size_t bytes);
  std::shared_ptr<arrow::Buffer> offsets_;
  std::unique_ptr<arrow::ResizableBuffer> bytes_;
  int32_t* next_offset_;
  char* data_ = nullptr;
  size_t size_ = 0;
  size_t capacity_ = 0;
  size_t row_start_ = 0;
};

namespace elementwise {

template <typename T>
struct Unwrapped {
  using type = T;
  static constexpr bool kOptional = false;
};
template <typename T>
struct Unwrapped<std::optional<T>> {
  using type = T;
  static constexpr bool kOptional = true;
};
template <typename T>
inline constexpr bool kIsText = std::is_same_v<T, std::string> || std::is_same_v<T, std::string_view>;

/// Fixed-width results.
template <typename T>
class ValueWriter {
 public:
  explicit ValueWriter(int64_t rows)
      : buffer_(AllocateBytes(rows * static_cast<int64_t>(sizeof(T)))),
        values_(reinterpret_cast<T*>(buffer_->mutable_data())) {}
  void Set(int64_t row, T value) { values_[row] = value; }
  void Skip(int64_t row) { std::memset(static_cast<void*>(values_ + row), 0, sizeof(T)); }
  arrow::Result<std::vector<std::shared_ptr<arrow::Buffer>>> Finish() {
    return std::vector<std::shared_ptr<arrow::Buffer>>{buffer_};
  }
  T* values() { return values_; }

 private:
  std::shared_ptr<arrow::Buffer> buffer_;
  T* values_;
};

template <>
class ValueWriter<bool> {
 public:
  explicit ValueWriter(int64_t rows) : buffer_(AllocateBits(rows, false)), bits_(buffer_->mutable_data()) {}
  void Set(int64_t row, bool value) { bits_[row >> 3] |= static_cast<uint8_t>(value << (row & 7)); }
  void Skip(int64_t) {}
  arrow::Result<std::vector<std::shared_ptr<arrow::Buffer>>> Finish() {
    return std::vector<std::shared_ptr<arrow::Buffer>>{buffer_};
  }

 private:
  std::shared_ptr<arrow::Buffer> buffer_;
  uint8_t* bits_;
};

class TextValueWriter {
 public:
  explicit TextValueWriter(int64_t rows) : writer_(rows, rows * 16) {}
  void Set(int64_t, std::string_view value) {
    writer_.Append(value);
    writer_.EndRow();
  }
  void Skip(int64_t) { writer_.EndRow(); }
  arrow::Result<std::vector<std::shared_ptr<arrow::Buffer>>> Finish() { return writer_.Finish(); }

 private:
  TextWriter writer_;
};

/// Runs `on_row` for rows without NULL argument and `on_null` for the others, in order.
template <typename OnRow, typename OnNull>
void ForEachRow(const CallShape& shape, OnRow&& on_row, OnNull&& on_null) {
  if (!shape.valid) {
    for (int64_t row = 0; row < shape.rows; ++row) on_row(row);
    return;
  }
  const uint8_t* valid = shape.valid->data();
  for (int64_t row = 0; row < shape.rows; ++row) {
    if (arrow::bit_util::GetBit(valid, row)) {
      on_row(row);
    } else {
      on_null(row);
    }
  }
}

template <typename F, typename... Values>
decltype(auto) Call(F& f, BatchError& error, Values&&... values) {
  if constexpr (std::is_invocable_v<F&, Values..., BatchError&>) {
    return f(std::forward<Values>(values)..., error);
  } else {
    return f(std::forward<Values>(values)...);
  }
}

template <typename... Args, typename F, size_t... I>
arrow::Result<arrow::Datum> MapRows(const ScalarCall& call, const std::shared_ptr<arrow::DataType>& type,
                                    F& f, std::index_sequence<I...>) {
  using Returned =
      std::decay_t<decltype(Call(f, std::declval<BatchError&>(), std::declval<ColumnReader<Args>&>()[0]...))>;
  using Value = typename Unwrapped<Returned>::type;
  using Writer = std::conditional_t<kIsText<Value>, TextValueWriter, ValueWriter<Value>>;
  const CallShape shape = ShapeOf(call);
  if (shape.all_null) return NullDatum(type);
  std::tuple<ColumnReader<Args>...> readers{ColumnReader<Args>(call.args[I])...};
  Writer writer(shape.rows);
  ValidityWriter validity(shape);
  BatchError error;
  auto on_row = [&](int64_t row) {
    if constexpr (Unwrapped<Returned>::kOptional) {
      auto value = Call(f, error, std::get<I>(readers)[row]...);
      if (value) {
        writer.Set(row, *value);
      } else {
        writer.Skip(row);
        validity.SetNull(row);
      }
    } else {
      writer.Set(row, Call(f, error, std::get<I>(readers)[row]...));
    }
  };
  ForEachRow(shape, on_row, [&](int64_t row) { writer.Skip(row); });
  if (error.failed()) return error.status();
  ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
  return FinishColumn(shape, type, validity.Finish(), std::move(buffers));
}

template <typename... Args, typename F, size_t... I>
arrow::Result<arrow::Datum> MapTextRows(const ScalarCall& call, const std::shared_ptr<arrow::DataType>& type,
                                        F& f, int64_t bytes_per_row, std::index_sequence<I...>) {
  const CallShape shape = ShapeOf(call);
  if (shape.all_null) return NullDatum(type);
  std::tuple<ColumnReader<Args>...> readers{ColumnReader<Args>(call.args[I])...};
  TextWriter writer(shape.rows, shape.rows * bytes_per_row);
  ValidityWriter validity(shape);
  BatchError error;
  auto on_row = [&](int64_t row) {
    using Returned = decltype(Call(f, error, std::get<I>(readers)[row]..., writer));
    if constexpr (std::is_same_v<Returned, bool>) {
      if (!Call(f, error, std::get<I>(readers)[row]..., writer)) {
        writer.TruncateRow(0);
        validity.SetNull(row);
      }
    } else {
      Call(f, error, std::get<I>(readers)[row]..., writer);
    }
    writer.EndRow();
  };
  ForEachRow(shape, on_row, [&](int64_t) { writer.EndRow(); });
  if (error.failed()) return error.status();
  ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
  return FinishColumn(shape, type, validity.Finish(), std::move(buffers));
}

}  // namespace elementwise

/// See above. `type` is the Arrow type of the result; its memory form must be the lambda's result type.
template <typename... Args, typename F>
arrow::Result<arrow::Datum> Map(const ScalarCall& call, const std::shared_ptr<arrow::DataType>& type, F&& f) {
  return elementwise::MapRows<Args...>(call, type, f, std::index_sequence_for<Args...>());
}

/// The lambda appends the row's text: (args…, TextWriter&[, BatchError&]). It returns nothing, or bool: false
/// is NULL.
template <typename... Args, typename F>
arrow::Result<arrow::Datum> MapText(const ScalarCall& call, const std::shared_ptr<arrow::DataType>& type,
                                    F&& f, int64_t bytes_per_row = 16) {
  return elementwise::MapTextRows<Args...>(call, type, f, bytes_per_row, std::index_sequence_for<Args...>());
}

/// One value per row from nothing (RANDOM, UUID): never a Scalar.
template <typename F>
arrow::Result<arrow::Datum> Generate(const ScalarCall& call, const std::shared_ptr<arrow::DataType>& type,
                                     F&& f) {
  using Value = std::decay_t<decltype(f())>;
  using Writer = std::conditional_t<elementwise::kIsText<Value>, elementwise::TextValueWriter,
                                    elementwise::ValueWriter<Value>>;
  CallShape shape;
  shape.constant = false;
  shape.rows = call.num_rows;
  Writer writer(shape.rows);
  for (int64_t row = 0; row < shape.rows; ++row) writer.Set(row, f());
  ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
  return FinishColumn(shape, type, nullptr, std::move(buffers));
}

/// Fixed-width → fixed-width for a lambda that is cheap and safe on any bits: it also runs on NULL rows, so
/// that the loop has no branch. Not for bool results.
template <typename A, typename F>
arrow::Result<arrow::Datum> MapTotal(const ScalarCall& call, const std::shared_ptr<arrow::DataType>& type,
                                     F&& f) {
  using Value = std::decay_t<decltype(f(std::declval<A>()))>;
  const CallShape shape = ShapeOf(call);
  if (shape.all_null) return NullDatum(type);
  const ColumnReader<A> a(call.args[0]);
  elementwise::ValueWriter<Value> writer(shape.rows);
  const A* in = a.values();
  Value* out = writer.values();
  for (int64_t row = 0; row < shape.rows; ++row) out[row] = f(in[row]);
  ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
  return FinishColumn(shape, type, shape.valid, std::move(buffers));
}

template <typename A, typename B, typename F>
arrow::Result<arrow::Datum> MapTotal(const ScalarCall& call, const std::shared_ptr<arrow::DataType>& type,
                                     F&& f) {
  using Value = std::decay_t<decltype(f(std::declval<A>(), std::declval<B>()))>;
  const CallShape shape = ShapeOf(call);
  if (shape.all_null) return NullDatum(type);
  const ColumnReader<A> a(call.args[0]);
  const ColumnReader<B> b(call.args[1]);
  elementwise::ValueWriter<Value> writer(shape.rows);
  const A* x = a.values();
  const B* y = b.values();
  Value* out = writer.values();
  if (b.is_constant()) {
    const B constant = y[0];
    for (int64_t row = 0; row < shape.rows; ++row) out[row] = f(a[row], constant);
  } else if (a.is_constant()) {
    const A constant = x[0];
    for (int64_t row = 0; row < shape.rows; ++row) out[row] = f(constant, y[row]);
  } else {
    for (int64_t row = 0; row < shape.rows; ++row) out[row] = f(x[row], y[row]);
  }
  ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
  return FinishColumn(shape, type, shape.valid, std::move(buffers));
}

}  // namespace laminar
