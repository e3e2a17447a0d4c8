#pragma once

/// What travels through a channel, in order.

#include <cstdint>
#include <memory>

#include "runtime/operator.h"

namespace laminar {

/// Why no more rows come.
enum class EndKind : uint8_t {
  kData,  ///< the data has ended: windows fire
  kStop,  ///< the job was stopped: what is open stays open
};

struct Message {
  enum class Kind : uint8_t { kBatch, kWatermark, kIdle, kSplit, kBarrier, kEnd };
  Kind kind = Kind::kBatch;
  EndKind end = EndKind::kData;       ///< kEnd
  int64_t value = 0;                  ///< kWatermark: µs; kIdle: 0 or 1; kBarrier: the epoch
  int64_t bytes = 0;                  ///< kBatch: estimate
  int64_t arrival_us = 0;             ///< kBatch, kWatermark: ChainState::arrival_us
  Batch batch;                        ///< kBatch: never empty
  std::unique_ptr<SplitEvent> split;  ///< kSplit

  static Message OfBatch(Batch batch, int64_t bytes) {
    Message message;
    message.bytes = bytes;
    message.batch = std::move(batch);
    return message;
  }
  static Message Of(Kind kind, int64_t value) {
    Message message;
    message.kind = kind;
    message.value = value;
    return message;
  }
  static Message OfSplit(const SplitEvent& event) {
    Message message;
    message.kind = Kind::kSplit;
    message.split = std::make_unique<SplitEvent>(event);
    return message;
  }
  static Message OfEnd(EndKind end) {
    Message message;
    message.kind = Kind::kEnd;
    message.end = end;
    return message;
  }
};

}  // namespace laminar
