#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "state/snapshot.h"

namespace laminar {

/// Copies of some entries, to look at all of their keys before the first is taken.
class EntryBatch {
 public:
  void Add(const StateEntry& entry) {
    entries_.push_back({entry.key_group, entry.deleted, bytes_.size(), entry.key.size(), entry.value.size()});
    bytes_.append(entry.key).append(entry.value);
  }
  size_t size() const { return entries_.size(); }
  /// Good until the next call of Add or Clear.
  StateEntry operator[](size_t i) const {
    const Entry& entry = entries_[i];
    const std::string_view bytes(bytes_);
    return {entry.key_group, bytes.substr(entry.begin, entry.key_bytes),
            bytes.substr(entry.begin + entry.key_bytes, entry.value_bytes), entry.deleted};
  }
  void Clear() {
    bytes_.clear();
    entries_.clear();
  }

 private:
  struct Entry {
    uint16_t key_group;
    bool deleted;
    size_t begin, key_bytes, value_bytes;
  };
  std::string bytes_;
  std::vector<Entry> entries_;
};

}  // namespace laminar
