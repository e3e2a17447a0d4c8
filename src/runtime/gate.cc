#include "runtime/gate.h"

#include <algorithm>
#include <utility>

#include "base/error.h"

namespace laminar {

namespace {

/// One of so many messages is that of the channel whose turn it is: one that never gets on in event time must
/// not shut out the others.
constexpr uint64_t kTurns = 8;

}  // namespace

void Gate::Add(std::unique_ptr<Channel> channel, int input) {
  order_.push_back(channels_.size());
  channels_.push_back({std::move(channel), input});
}

bool Gate::PopFrom(size_t index, Message* message, int* channel) {
  Entry& entry = channels_[index];
  if (entry.blocked || !entry.channel->Pop(message)) return false;
  if (message->kind == Message::Kind::kWatermark) entry.watermark_us = message->value;
  if (message->kind == Message::Kind::kIdle) entry.idle = message->value != 0;
  *channel = static_cast<int>(index);
  return true;
}

/// After a message was taken from it: behind those that are as far.
void Gate::MoveInOrder(size_t position) {
  const size_t index = order_[position];
  order_.erase(order_.begin() + static_cast<std::ptrdiff_t>(position));
  const auto behind = std::upper_bound(
      order_.begin(), order_.end(), channels_[index].progress_us(),
      [this](int64_t progress_us, size_t other) { return progress_us < channels_[other].progress_us(); });
  order_.insert(behind, index);
}

bool Gate::Pop(Message* message, int* channel) {
  if (++pops_ % kTurns == 0) {
    next_ = next_ + 1 == channels_.size() ? 0 : next_ + 1;
    if (PopFrom(next_, message, channel)) {
      MoveInOrder(static_cast<size_t>(std::find(order_.begin(), order_.end(), next_) - order_.begin()));
      return true;
    }
  }
  for (size_t position = 0; position < order_.size(); ++position) {
    if (!PopFrom(order_[position], message, channel)) continue;
    MoveInOrder(position);
    return true;
  }
  return false;
}

bool Gate::OnBarrier(int channel) {
  Entry& entry = channels_[static_cast<size_t>(channel)];
  LAMINAR_CHECK(!entry.blocked, "two barriers of one channel");
  entry.blocked = true;
  if (++barriers_ < num_channels()) return false;
  for (Entry& each : channels_) each.blocked = false;
  barriers_ = 0;
  return true;
}

bool Gate::OnEnd(int channel) {
  Entry& entry = channels_[static_cast<size_t>(channel)];
  if (!entry.ended) {
    entry.ended = true;
    ++ends_;
  }
  return ends_ == num_channels();
}

void Gate::Cancel() {
  for (Entry& entry : channels_) entry.channel->Cancel();
}

}  // namespace laminar
