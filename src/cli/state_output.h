#pragma once

/// Where `laminar checkpoint read` puts the rows of a state table.

#include <memory>
#include <string>

#include "types/batch.h"
#include "types/type.h"

namespace laminar::cli {

class StateOutput {
 public:
  virtual ~StateOutput() = default;
  virtual void Write(const Batch& rows) = 0;
  virtual void Close() = 0;
};

/// `format`: json (a line per row, the table's name first), table, parquet or arrow (an IPC file); the latter
/// two go to `file`. One per table.
std::unique_ptr<StateOutput> MakeStateOutput(const std::string& format, const std::string& file,
                                             const std::string& table, const Schema& columns);

}  // namespace laminar::cli
