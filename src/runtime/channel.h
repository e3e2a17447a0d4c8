#pragma once

/// The queue between one producing and one consuming subtask, bounded in bytes and messages. The bound is
/// soft: a producer looks at `full()` before it starts work, and what that work emits always fits
/// (docs/runtime.md "Channels").

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

#include "runtime/message.h"

namespace laminar {

/// Makes a parked task runnable. Thread-safe.
class Wakeable {
 public:
  virtual ~Wakeable() = default;
  virtual void Notify() = 0;
};

struct ChannelLimits {
  int64_t bytes_max = 4 << 20;
  int64_t messages_max = 64;
};

/// One producer, one consumer, each on any thread.
class Channel {
 public:
  Channel(ChannelLimits limits, Wakeable* producer, Wakeable* consumer)
      : limits_(limits), producer_(producer), consumer_(consumer) {}

  // Producer.
  void Push(Message message);
  bool full() const { return bytes() >= limits_.bytes_max || messages() >= limits_.messages_max; }
  /// The consumer wants no more rows; barriers and ends still go through.
  bool cancelled() const { return cancelled_.load(std::memory_order_acquire); }

  // Consumer.
  bool Pop(Message* message);
  bool empty() const { return messages() == 0; }
  void Cancel();

  // Anyone.
  int64_t bytes() const { return bytes_.load(std::memory_order_acquire); }
  int64_t messages() const { return messages_.load(std::memory_order_acquire); }
  const ChannelLimits& limits() const { return limits_; }

 private:
  /// Below this the producer is woken: half the bound, so that it finds room for more than one message.
  bool roomy(int64_t bytes, int64_t messages) const {
    return bytes <= limits_.bytes_max / 2 && messages <= limits_.messages_max / 2;
  }

  const ChannelLimits limits_;
  Wakeable* const producer_;
  Wakeable* const consumer_;
  std::mutex mutex_;
  std::deque<Message> queue_;  // guarded by mutex_
  std::atomic<int64_t> bytes_{0};
  std::atomic<int64_t> messages_{0};
  std::atomic<bool> cancelled_{false};
};

/// Bytes that the rows of a batch reach: exact for flat columns, without walking Arrow's visitor machinery,
/// since it is called for each batch that crosses a channel.
int64_t EstimateBytes(const Batch& batch);

}  // namespace laminar
