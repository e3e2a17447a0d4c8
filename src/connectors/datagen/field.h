#pragma once

/// How datagen makes one column.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "connectors/connector.h"

namespace laminar {

/// The rows to make: their numbers over all splits are `first`, `first + stride`, …
struct DatagenRows {
  int64_t first = 0;
  int64_t stride = 1;
  int64_t rows = 0;
  int64_t time_us = 0;    ///< row time of the first row
  double us_per_row = 0;  ///< between neighbours of this batch
  int64_t number(int64_t row) const { return first + row * stride; }
  int64_t TimeUs(int64_t row) const {
    return time_us + static_cast<int64_t>(us_per_row * static_cast<double>(row));
  }
};

class DatagenField {
 public:
  virtual ~DatagenField() = default;
  /// [rows] of the column's Arrow type; a pure function of seed and row numbers (and of the row time, for
  /// timestamps).
  virtual std::shared_ptr<arrow::Array> Make(const DatagenRows& rows) const = 0;
  /// Rows after which the field has nothing more to say (a sequence with an end).
  virtual std::optional<int64_t> row_count() const { return std::nullopt; }
};

/// From `fields.<column>.*`. Throws UserError(kBadOption, kUnsupported).
std::unique_ptr<DatagenField> MakeDatagenField(const TableSpec& table, int column, uint64_t seed);

/// Throws UserError(kUnknownOption) for `fields.…` that name no column or no property.
void CheckDatagenOptions(const TableSpec& table);

}  // namespace laminar
