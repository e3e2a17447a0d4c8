#pragma once

/// Names of the files that a sink makes.

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>

#include "base/random_id.h"

namespace laminar {

enum class NameStrategy { kUuid7, kUuid4, kUlid, kSerial };

std::optional<NameStrategy> ParseNameStrategy(std::string_view text);

class FileNamer {
 public:
  FileNamer(NameStrategy strategy, std::string prefix, std::string suffix, int subtask)
      : strategy_(strategy), prefix_(std::move(prefix)), suffix_(std::move(suffix)), subtask_(subtask) {}

  /// `<prefix>-<id>.<suffix>`. Ids of time-ordered strategies sort by `now_us`; serial ones are
  /// `<number>-<subtask>`.
  std::string Next(int64_t now_us);
  /// Serial numbers used so far; part of the sink's state.
  int64_t serial() const { return serial_; }
  void set_serial(int64_t serial) { serial_ = serial; }

 private:
  std::string Id(int64_t now_us);

  const NameStrategy strategy_;
  const std::string prefix_;
  const std::string suffix_;
  const int subtask_;
  int64_t serial_ = 0;
  std::mt19937_64 random_{RandomWord()};
};

}  // namespace laminar
