#pragma once

#include <cstddef>
#include <cstdint>

namespace laminar {

/// Raw memory of a hash table. Large ones lie in huge pages (a random access then costs no page walk) and
/// grow by moving pages, not bytes.
class TableMemory {
 public:
  TableMemory() = default;
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

 private:
  uint8_t* data_ = nullptr;
  size_t bytes_ = 0;
  size_t mapped_ = 0;  // bytes of the mapping; 0: from malloc
};

}  // namespace laminar
