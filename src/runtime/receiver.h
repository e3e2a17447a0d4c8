#pragma once

/// The end of an edge inside one task: a chained node (direct call) or a router (into channels).

#include <cstdint>

#include "runtime/message.h"

namespace laminar {

class Receiver {
 public:
  virtual ~Receiver() = default;
  virtual void Receive(Batch batch) = 0;  ///< never empty
  virtual void ReceiveWatermark(int64_t watermark_us) = 0;
  virtual void ReceiveIdle(bool idle) = 0;
  virtual void ReceiveSplit(const SplitEvent& event) = 0;
  virtual void ReceiveEnd(EndKind kind) = 0;
  /// False once rows sent here would be dropped.
  virtual bool wants_rows() const = 0;
};

}  // namespace laminar
