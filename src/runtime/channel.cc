#include "runtime/channel.h"

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/type_traits.h>

namespace laminar {

void Channel::Push(Message message) {
  {
    std::lock_guard lock(mutex_);
    bytes_.fetch_add(message.bytes, std::memory_order_release);
    messages_.fetch_add(1, std::memory_order_release);
    queue_.push_back(std::move(message));
  }
  consumer_->Notify();
}

bool Channel::Pop(Message* message) {
  if (empty()) return false;
  bool made_room;
  {
    std::lock_guard lock(mutex_);
    if (queue_.empty()) return false;
    *message = std::move(queue_.front());
    queue_.pop_front();
    const int64_t bytes_before = bytes_.fetch_sub(message->bytes, std::memory_order_acq_rel);
    const int64_t messages_before = messages_.fetch_sub(1, std::memory_order_acq_rel);
    made_room =
        !roomy(bytes_before, messages_before) && roomy(bytes_before - message->bytes, messages_before - 1);
  }
  if (made_room) producer_->Notify();
  return true;
}

void Channel::Cancel() {
  if (cancelled_.exchange(true, std::memory_order_acq_rel)) return;
  producer_->Notify();
}

namespace {

int64_t EstimateBytes(const arrow::ArrayData& data) {
  int64_t bytes = data.length / 8;
  switch (data.type->id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY: {
      const int32_t* offsets = data.length > 0 ? data.GetValues<int32_t>(1) : nullptr;
      if (offsets != nullptr) bytes += data.length * 4 + offsets[data.length] - offsets[0];
      return bytes;
    }
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY: {
      const int64_t* offsets = data.length > 0 ? data.GetValues<int64_t>(1) : nullptr;
      if (offsets != nullptr) bytes += data.length * 8 + offsets[data.length] - offsets[0];
      return bytes;
    }
    case arrow::Type::NA:
      return 0;
    default:
      break;
  }
  if (!data.child_data.empty() || data.dictionary) {
    // Nested: the children's whole length, which over-counts slices. Good enough for a bound.
    bytes += data.length * 4;
    for (const auto& child : data.child_data) bytes += EstimateBytes(*child);
    return bytes;
  }
  const int width = data.type->bit_width();
  return bytes + (width > 0 ? data.length * width / 8 : data.length * 16);
}

}  // namespace

int64_t EstimateBytes(const Batch& batch) {
  int64_t bytes = 64;
  for (const auto& column : batch.columns) bytes += EstimateBytes(*column->data());
  if (batch.weights) bytes += batch.num_rows * 4;
  return bytes;
}

}  // namespace laminar
