#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "state/snapshot.h"
#include "types/row_codec.h"

namespace laminar {

/// Keys that left the state since the last barrier and that some snapshot has.
class DeletedKeys {
 public:
  void Add(uint16_t key_group, std::string_view prefix, std::string_view key) {
    groups_.push_back(key_group);
    keys_.data.append(prefix);
    keys_.Append(key);
  }
  /// Writes the deletes and forgets them.
  void Write(StateWriter& writer, std::string_view prefix = {},
             std::optional<uint16_t> key_group = std::nullopt) {
    std::string key;
    for (size_t i = 0; i < groups_.size(); ++i) {
      key.assign(prefix).append(keys_[static_cast<int64_t>(i)]);
      writer.Delete(key_group.value_or(groups_[i]), key);
    }
    *this = DeletedKeys();
  }
  /// Hands all to `out` with `prefix` in front.
  void MoveTo(DeletedKeys* out, std::string_view prefix, std::optional<uint16_t> key_group = std::nullopt) {
    for (size_t i = 0; i < groups_.size(); ++i) {
      out->Add(key_group.value_or(groups_[i]), prefix, keys_[static_cast<int64_t>(i)]);
    }
    *this = DeletedKeys();
  }
  bool empty() const { return groups_.empty(); }

 private:
  ByteStrings keys_;
  std::vector<uint16_t> groups_;
};

}  // namespace laminar
