#include "connectors/line_buffer.h"

#include <arrow/array.h>

#include "base/error.h"

namespace laminar {

void AppendLines(const Batch& records, std::string* out) {
  LAMINAR_CHECK(!records.columns.empty() && records.columns[0]->type_id() == arrow::Type::BINARY,
                "a sink of records got rows");
  const auto& column = static_cast<const arrow::BinaryArray&>(*records.columns[0]);
  out->reserve(out->size() + static_cast<size_t>(column.total_values_length() + column.length()));
  for (int64_t row = 0; row < column.length(); ++row) {
    if (column.IsNull(row)) continue;
    out->append(column.GetView(row));
    out->push_back('\n');
  }
}

}  // namespace laminar
