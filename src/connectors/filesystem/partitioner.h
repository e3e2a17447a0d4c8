#pragma once

/// Which directory each row goes to: `<time pattern>/a=x/b=y`.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "types/batch.h"
#include "types/type.h"

namespace laminar {

struct PartitionSpec {
  std::string time_pattern;  ///< strftime of the row time in UTC; empty: none
  int event_time_column = -1;
  std::vector<std::string> field_names;
  std::vector<int> field_columns;  ///< parallel to `field_names`

  bool partitioned() const { return !time_pattern.empty() || !field_columns.empty(); }
};

/// Rows of one directory.
struct Partition {
  std::string directory;  ///< relative, without a slash at the end; empty: the root
  std::vector<int32_t> rows;
};

/// The rows of each directory, in order of first appearance. A NULL is `__HIVE_DEFAULT_PARTITION__`; values
/// are percent-encoded but for letters, digits and `-_.~ :+`.
std::vector<Partition> PartitionRows(const Batch& batch, const PartitionSpec& spec);

/// The time part of the directory of a row at `time_us`.
std::string TimeDirectory(const std::string& pattern, int64_t time_us);

}  // namespace laminar
