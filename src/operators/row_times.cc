#include "operators/row_times.h"

#include <arrow/array.h>
#include <arrow/type.h>

#include "base/error.h"

namespace laminar {

RowTimes::RowTimes(std::shared_ptr<arrow::Array> column)
    : column_(std::move(column)), has_nulls_(column_->null_count() > 0) {
  LAMINAR_CHECK(column_->type_id() == arrow::Type::TIMESTAMP,
                "row times of type " + column_->type()->ToString());
  values_ = column_->data()->GetValues<int64_t>(1);
  if (static_cast<const arrow::TimestampType&>(*column_->type()).unit() != arrow::TimeUnit::NANO) return;
  floored_.reserve(static_cast<size_t>(column_->length()));
  for (int64_t row = 0; row < column_->length(); ++row) {
    floored_.push_back(values_[row] / 1000 - (values_[row] % 1000 < 0));
  }
  values_ = floored_.data();
}

bool RowTimes::IsNull(int64_t row) const { return has_nulls_ && column_->IsNull(row); }

}  // namespace laminar
