#pragma once

/// What server and worker say to each other: one JSON document per line over a socket pair (docs/jobs.md
/// lists the messages and their members). The worker's end is descriptor 3.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace laminar {

inline constexpr int kWorkerProtocolVersion = 1;
inline constexpr int kWorkerSocket = 3;
/// A longer line is a bug of the other side.
inline constexpr size_t kMessageBytesMax = 64u << 20;

/// One line, with its newline. Text that is not UTF-8 is replaced.
inline std::string EncodeMessage(const nlohmann::json& message) {
  return message.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

/// Cuts a stream of bytes into lines.
class MessageReader {
 public:
  void Append(std::string_view bytes) { buffer_.append(bytes); }
  /// The next whole line without its newline; false when there is none yet.
  bool Next(std::string* line) {
    const size_t end = buffer_.find('\n', scanned_);
    if (end == std::string::npos) {
      scanned_ = buffer_.size();
      return false;
    }
    *line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    scanned_ = 0;
    return true;
  }
  size_t buffered() const { return buffer_.size(); }

 private:
  std::string buffer_;
  size_t scanned_ = 0;  // no newline before here
};

}  // namespace laminar
