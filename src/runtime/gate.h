#pragma once

/// The inputs of a task: takes messages from the channel that is behind in event time, so that operators hold
/// no more than they must for the others, and leaves alone those whose barrier has come before the others'.

#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/channel.h"

namespace laminar {

class Gate {
 public:
  /// `channel` feeds input `input` of the head node. Before the first Pop only.
  void Add(std::unique_ptr<Channel> channel, int input);

  int num_channels() const { return static_cast<int>(channels_.size()); }
  int input_of(int channel) const { return channels_[static_cast<size_t>(channel)].input; }
  const Channel& channel(int index) const { return *channels_[static_cast<size_t>(index)].channel; }

  /// The next message of a channel that is not held back; false when there is none now.
  bool Pop(Message* message, int* channel);
  /// A barrier came through `channel`. True when it was the last one missing: all channels are open again.
  bool OnBarrier(int channel);
  /// An end came through `channel`. True when all channels have ended.
  bool OnEnd(int channel);
  /// Tells the producers that rows are no longer wanted.
  void Cancel();
  bool holding_back() const { return barriers_ > 0; }

 private:
  struct Entry {
    std::unique_ptr<Channel> channel;
    int input;
    int64_t watermark_us = kMinWatermark;
    bool idle = false;
    bool blocked = false;
    bool ended = false;
    /// What it is ordered by: an idle one holds nobody back.
    int64_t progress_us() const { return idle ? kMaxWatermark : watermark_us; }
  };
  bool PopFrom(size_t index, Message* message, int* channel);
  void MoveInOrder(size_t position);

  std::vector<Entry> channels_;
  std::vector<size_t> order_;  // of channels_: lowest progress_us first, of equal ones that taken longest ago
  size_t next_ = 0;            // whose turn it is, whatever its progress
  uint64_t pops_ = 0;
  int barriers_ = 0;
  int ends_ = 0;
};

}  // namespace laminar
