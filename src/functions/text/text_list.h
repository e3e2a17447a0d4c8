#pragma once

/// Builds a TEXT[] column row by row. Include only from .cc files.

#include <vector>

#include "functions/elementwise.h"

namespace laminar {

class TextListWriter {
 public:
  explicit TextListWriter(int64_t rows);

  void Add(std::string_view element);
  void AddNull();
  /// A raw JSON value without white space between its tokens.
  void AddCompactJson(std::string_view raw);
  /// The row holds what was added since the last end.
  void EndRow();
  void EndNullRow();
  /// [shape.rows] lists, or the only one when the shape is constant. Invalid past 2 GiB of text.
  arrow::Result<arrow::Datum> Finish(const CallShape& shape);

 private:
  std::vector<int32_t> list_offsets_;
  std::vector<int32_t> text_offsets_;
  std::string text_;
  std::vector<bool> valid_elements_;
  std::vector<bool> valid_rows_;
  bool has_null_element_ = false;
  bool has_null_row_ = false;
};

}  // namespace laminar
