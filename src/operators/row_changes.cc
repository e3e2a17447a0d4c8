#include "operators/row_changes.h"

#include <arrow/array.h>

#include <cstring>

namespace laminar {

namespace {

template <int kWidth>
void CompareFixed(const arrow::Array& left, const std::vector<int32_t>& left_rows, const arrow::Array& right,
                  const std::vector<int32_t>& right_rows, std::vector<bool>* differ) {
  const uint8_t* a = left.data()->buffers[1]->data() + left.offset() * kWidth;
  const uint8_t* b = right.data()->buffers[1]->data() + right.offset() * kWidth;
  const bool nulls = left.null_count() > 0 || right.null_count() > 0;
  for (size_t i = 0; i < left_rows.size(); ++i) {
    if (nulls) {
      const bool null = left.IsNull(left_rows[i]);
      if (null != right.IsNull(right_rows[i])) (*differ)[i] = true;
      if (null) continue;  // whatever bytes lie there
    }
    if (std::memcmp(a + int64_t{left_rows[i]} * kWidth, b + int64_t{right_rows[i]} * kWidth, kWidth) != 0) {
      (*differ)[i] = true;
    }
  }
}

bool ValuesDiffer(const arrow::Array& left, int64_t i, const arrow::Array& right, int64_t j) {
  if (left.IsNull(i) || right.IsNull(j)) return left.IsNull(i) != right.IsNull(j);
  if (left.type_id() == arrow::Type::STRING || left.type_id() == arrow::Type::BINARY) {
    return static_cast<const arrow::BinaryArray&>(left).GetView(i) !=
           static_cast<const arrow::BinaryArray&>(right).GetView(j);
  }
  return !left.RangeEquals(i, i + 1, j, right,
                           arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false));
}

}  // namespace

std::vector<bool> RowsDiffer(const std::vector<std::shared_ptr<arrow::Array>>& left,
                             const std::vector<int32_t>& left_rows,
                             const std::vector<std::shared_ptr<arrow::Array>>& right,
                             const std::vector<int32_t>& right_rows) {
  std::vector<bool> differ(left_rows.size(), false);
  if (left_rows.empty()) return differ;
  for (size_t c = 0; c < left.size(); ++c) {
    const arrow::Array &a = *left[c], &b = *right[c];
    if (a.type_id() == arrow::Type::NA) continue;
    const auto& fixed = dynamic_cast<const arrow::FixedWidthType*>(a.type().get());
    const int width = fixed && a.type_id() != arrow::Type::BOOL ? fixed->bit_width() / 8 : 0;
    switch (width) {
      case 4:
        CompareFixed<4>(a, left_rows, b, right_rows, &differ);
        break;
      case 8:
        CompareFixed<8>(a, left_rows, b, right_rows, &differ);
        break;
      case 16:
        CompareFixed<16>(a, left_rows, b, right_rows, &differ);
        break;
      default:
        for (size_t i = 0; i < left_rows.size(); ++i) {
          if (ValuesDiffer(a, left_rows[i], b, right_rows[i])) differ[i] = true;
        }
    }
  }
  return differ;
}

}  // namespace laminar
