#include "runtime/router.h"

#include <algorithm>
#include <utility>

#include "state/key_group.h"
#include "types/row_codec.h"

namespace laminar {

Router::Router(Partitioning partitioning, std::vector<int> key_columns, int subtask,
               std::vector<Channel*> channels)
    : partitioning_(partitioning),
      key_columns_(std::move(key_columns)),
      channels_(std::move(channels)),
      next_(static_cast<size_t>(subtask) % channels_.size()),
      rows_of_(channels_.size()) {}

void Router::Send(size_t target, Batch batch) {
  if (channels_[target]->cancelled()) return;
  const int64_t bytes = EstimateBytes(batch);
  if (producer_ != nullptr) producer_->bytes_out.Add(bytes);
  Message message = Message::OfBatch(std::move(batch), bytes);
  if (arrival_us_ != nullptr) message.arrival_us = *arrival_us_;
  channels_[target]->Push(std::move(message));
}

void Router::Receive(Batch batch) {
  switch (partitioning_) {
    case Partitioning::kForward:
    case Partitioning::kGather:
      Send(0, std::move(batch));
      return;
    case Partitioning::kRebalance:
      SendToNext(std::move(batch));
      return;
    case Partitioning::kBroadcast:
      for (size_t i = 0; i + 1 < channels_.size(); ++i) Send(i, batch);
      Send(channels_.size() - 1, std::move(batch));
      return;
    case Partitioning::kHash:
      batch.split = -1;
      SendByKey(std::move(batch));
      return;
  }
}

void Router::SendToNext(Batch batch) {
  for (size_t tried = 0; tried < channels_.size(); ++tried) {
    const size_t target = next_;
    next_ = (next_ + 1) % channels_.size();
    if (channels_[target]->cancelled()) continue;
    Send(target, std::move(batch));
    return;
  }
}

void Router::SendByKey(Batch batch) {
  if (channels_.size() == 1) return Send(0, std::move(batch));
  const auto parallelism = static_cast<int>(channels_.size());
  std::vector<std::shared_ptr<arrow::Array>> keys;
  keys.reserve(key_columns_.size());
  for (int column : key_columns_) keys.push_back(batch.columns[static_cast<size_t>(column)]);
  // Without key columns all rows have one key, and one hash tells where they go.
  const int64_t hashed = keys.empty() ? 1 : batch.num_rows;
  hashes_.resize(static_cast<size_t>(hashed));
  HashRows(keys, hashed, hashes_.data());

  targets_.resize(static_cast<size_t>(hashed));
  bool one_target = true;
  for (int64_t row = 0; row < hashed; ++row) {
    targets_[row] = static_cast<uint16_t>(SubtaskOf(KeyGroupOf(hashes_[row]), parallelism));
    one_target = one_target && targets_[row] == targets_[0];
  }
  if (one_target) return Send(targets_[0], std::move(batch));

  for (auto& rows : rows_of_) rows.clear();
  for (int64_t row = 0; row < batch.num_rows; ++row)
    rows_of_[targets_[row]].push_back(static_cast<int32_t>(row));
  for (size_t target = 0; target < channels_.size(); ++target) {
    if (rows_of_[target].empty() || channels_[target]->cancelled()) continue;
    Send(target, Take(batch, rows_of_[target]));
  }
}

void Router::ReceiveWatermark(int64_t watermark_us) {
  for (Channel* channel : channels_) {
    if (channel->cancelled()) continue;
    Message message = Message::Of(Message::Kind::kWatermark, watermark_us);
    if (arrival_us_ != nullptr) message.arrival_us = *arrival_us_;
    channel->Push(std::move(message));
  }
}

void Router::ReceiveIdle(bool idle) {
  for (Channel* channel : channels_) channel->Push(Message::Of(Message::Kind::kIdle, idle ? 1 : 0));
}

void Router::ReceiveSplit(const SplitEvent& event) {
  for (Channel* channel : channels_) channel->Push(Message::OfSplit(event));
}

void Router::ReceiveEnd(EndKind kind) {
  for (Channel* channel : channels_) channel->Push(Message::OfEnd(kind));
}

void Router::SendBarrier(uint64_t epoch) {
  for (Channel* channel : channels_)
    channel->Push(Message::Of(Message::Kind::kBarrier, static_cast<int64_t>(epoch)));
}

bool Router::wants_rows() const {
  return std::any_of(channels_.begin(), channels_.end(),
                     [](const Channel* channel) { return !channel->cancelled(); });
}

bool Router::full() const {
  return std::any_of(channels_.begin(), channels_.end(),
                     [](const Channel* channel) { return channel->full() && !channel->cancelled(); });
}

}  // namespace laminar
