#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include "state/state_memory.h"

namespace laminar {

/// Raw memory of a hash table. Large ones lie in huge pages (a random access then costs no page walk) and
/// grow by moving pages, not bytes; or in scratch files, when there is a limit and it comes near
/// (state_memory.h). Calls that ask for memory throw ExternalError when the scratch files' disk is full; then
/// nothing has changed.
class TableMemory {
 public:
  explicit TableMemory(StateUse use = StateUse::kRecords) : use_(use) {}
  ~TableMemory() { Free(); }
  TableMemory(const TableMemory&) = delete;
  TableMemory& operator=(const TableMemory&) = delete;
  TableMemory(TableMemory&& other) noexcept { *this = static_cast<TableMemory&&>(other); }
  TableMemory& operator=(TableMemory&& other) noexcept;

  /// Keeps the bytes that fit; what is new is not initialised. 16-byte aligned.
  void Resize(size_t bytes);
  /// `bytes` zeros in place of what was there.
  void ResetZero(size_t bytes);
  void Free();
  uint8_t* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  /// Whether pages of it may have to be read.
  bool on_disk() const { return disk_.data() != nullptr; }
  /// Whether `bytes` in its place would lie on disk.
  bool WouldGoToDisk(size_t bytes) const;

 private:
  void MoveToDisk(size_t bytes);
  void Count(size_t bytes);

  StateUse use_ = StateUse::kRecords;
  uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
  size_t mapped_ = 0;   // bytes of the mapping; 0: from malloc, or on disk
  size_t counted_ = 0;  // of CountOrdinaryStateBytes
  DiskMemory disk_;
};

/// A vector of plain values in TableMemory.
template <typename T>
class StateArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  StateArray() = default;
  StateArray(StateArray&& other) noexcept { *this = std::move(other); }
  StateArray& operator=(StateArray&& other) noexcept {
    memory_ = std::move(other.memory_);
    data_ = std::exchange(other.data_, nullptr);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  size_t capacity() const { return capacity_; }
  T* data() { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T& back() { return data_[size_ - 1]; }
  const T& back() const { return data_[size_ - 1]; }
  const T& front() const { return data_[0]; }

  void push_back(const T& value) {
    if (size_ == capacity_)
      Grow(size_ + 1, value);
    else
      data_[size_] = value;
    ++size_;
  }
  void pop_back() { --size_; }
  void clear() { size_ = 0; }
  /// For a walk from front to back: call it at each element.
  void WillRead(size_t i) const {
    constexpr size_t kElements = (size_t{512} << 10) / sizeof(T);
    if (i % kElements == 0 && memory_.on_disk())
      ReadAhead(data_ + i, std::min(kElements * 2, size_ - i) * sizeof(T));
  }
  void reserve(size_t capacity) {
    if (capacity > capacity_) SetCapacity(capacity);
  }
  /// Cuts to `size`, which is not above size(), and gives memory back.
  void Shrink(size_t size) {
    size_ = size;
    SetCapacity(size);
  }

 private:
  void Grow(size_t size, T value) {
    SetCapacity(size < 16 ? 16 : size + size / 2);
    data_[size_] = value;
  }
  void SetCapacity(size_t capacity) {
    memory_.Resize(capacity * sizeof(T));
    data_ = reinterpret_cast<T*>(memory_.data());
    capacity_ = capacity;
  }

  TableMemory memory_;
  T* data_ = nullptr;
  size_t size_ = 0, capacity_ = 0;
};

}  // namespace laminar
