#pragma once

/// Sends what one subtask emits on one edge to the consuming subtasks' channels, by the edge's partitioning.

#include <cstdint>
#include <vector>

#include "runtime/channel.h"
#include "runtime/graph.h"
#include "runtime/receiver.h"

namespace laminar {

class Router final : public Receiver {
 public:
  /// `channels[i]` leads to subtask i of the consumer (kForward and kGather: only one). `subtask` is the
  /// producer's and spreads where round robins begin.
  Router(Partitioning partitioning, std::vector<int> key_columns, int subtask,
         std::vector<Channel*> channels);

  /// Whose bytes are counted, and where the arrival of what is being sent stands.
  void Bind(OperatorMetrics* producer, const int64_t* arrival_us) {
    producer_ = producer;
    arrival_us_ = arrival_us;
  }

  void Receive(Batch batch) override;
  void ReceiveWatermark(int64_t watermark_us) override;
  void ReceiveIdle(bool idle) override;
  void ReceiveSplit(const SplitEvent& event) override;
  void ReceiveEnd(EndKind kind) override;
  bool wants_rows() const override;

  void SendBarrier(uint64_t epoch);
  /// Some channel is full: its task should wait.
  bool full() const;

 private:
  void Send(size_t target, Batch batch);
  void SendToNext(Batch batch);
  void SendByKey(Batch batch);

  const Partitioning partitioning_;
  const std::vector<int> key_columns_;
  const std::vector<Channel*> channels_;
  OperatorMetrics* producer_ = nullptr;
  const int64_t* arrival_us_ = nullptr;
  size_t next_;
  // Kept between batches to save allocations.
  std::vector<uint64_t> hashes_;
  std::vector<uint16_t> targets_;
  std::vector<std::vector<int32_t>> rows_of_;
};

}  // namespace laminar
