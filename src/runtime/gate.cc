#include "runtime/gate.h"

#include <utility>

#include "base/error.h"

namespace laminar {

void Gate::Add(std::unique_ptr<Channel> channel, int input) {
  channels_.push_back({std::move(channel), input});
}

bool Gate::Pop(Message* message, int* channel) {
  for (size_t tried = 0; tried < channels_.size(); ++tried) {
    const size_t index = next_;
    next_ = next_ + 1 == channels_.size() ? 0 : next_ + 1;
    Entry& entry = channels_[index];
    if (entry.blocked || !entry.channel->Pop(message)) continue;
    *channel = static_cast<int>(index);
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
