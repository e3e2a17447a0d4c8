#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "state/snapshot_buffer.h"

namespace laminar {

/// Keys that left the state since the last barrier and that some snapshot has. Held as they go into the
/// snapshot, so that handing them over takes no time however many they are.
class DeletedKeys {
 public:
  void Add(uint16_t key_group, std::string_view key) { deletes_.Delete(key_group, key); }
  /// Writes the deletes and forgets them.
  void Write(StateWriter& writer) {
    const int64_t count = deletes_.entries();
    if (count > 0) writer.Append(deletes_.TakeChunks(), count);
  }
  bool empty() const { return deletes_.entries() == 0; }

 private:
  TableChanges deletes_;
};

}  // namespace laminar
