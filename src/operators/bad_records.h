#pragma once

/// What becomes of records that cannot be used: the job fails, or they are counted and dropped, or they also
/// go to a side output as dead letters.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/operator.h"
#include "types/type.h"

namespace laminar {

enum class BadDataPolicy { kFail, kDrop, kDeadLetter };

/// The operator's output (GraphEdge::output) that dead letters leave by.
inline constexpr int kDeadLetterOutput = 1;

/// Rows of that output: raw BYTEA, error TEXT, source TEXT, position TEXT, timestamp TIMESTAMP.
Schema DeadLetterSchema();

class BadRecords {
 public:
  /// `source`: the table's name, for messages and dead letters.
  BadRecords(BadDataPolicy policy, std::string source);
  void Open(const OperatorContext& context) { context_ = &context; }
  /// Throws QueryError under kFail. `raw`: the record's bytes where they are known (copied).
  void Add(std::optional<std::string_view> raw, std::string_view error, std::string_view position);
  /// Sends the dead letters collected since the last call.
  void Send(Output& out);
  BadDataPolicy policy() const { return policy_; }

 private:
  struct Letter {
    std::optional<std::string> raw;
    std::string error;
    std::string position;
  };
  const BadDataPolicy policy_;
  const std::string source_;
  const OperatorContext* context_ = nullptr;
  std::vector<Letter> letters_;
};

}  // namespace laminar
