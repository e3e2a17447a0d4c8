#pragma once

/// Results that are arrays: element indices are gathered first, the elements taken at the end in one go.
/// Include only from .cc files.

#include <cstdint>
#include <memory>
#include <vector>

#include "functions/elementwise.h"
#include "functions/registry.h"

namespace laminar {

/// Collects, row by row, which elements of several source columns make up each result array.
class ArrayBuilding {
 public:
  explicit ArrayBuilding(int64_t rows) { offsets_.reserve(static_cast<size_t>(rows) + 1); }

  /// Adds a column that elements are taken from; its number is used below. All have the result's element
  /// type.
  int AddSource(std::shared_ptr<arrow::ArrayData> elements);

  void Append(int source, int64_t element) {
    sources_.push_back(source);
    elements_.push_back(element);
  }
  void AppendSpan(int source, ListSpan span) {
    for (int64_t i = 0; i < span.length; ++i) Append(source, span.begin + i);
  }
  /// A NULL element.
  void AppendNull() { Append(-1, 0); }
  /// Ends the row's array. NULL rows are ended too.
  void EndRow() { offsets_.push_back(static_cast<int32_t>(elements_.size())); }

  /// `type` is the Arrow type of the whole (a list); `shape` gives rows and whether the result is a Scalar.
  arrow::Result<arrow::Datum> Finish(const CallShape& shape, const std::shared_ptr<arrow::DataType>& type,
                                     std::shared_ptr<arrow::Buffer> valid);

 private:
  arrow::Result<std::shared_ptr<arrow::ArrayData>> TakeElements(
      const std::shared_ptr<arrow::DataType>& type) const;

  std::vector<std::shared_ptr<arrow::ArrayData>> inputs_;
  std::vector<int32_t> offsets_{0};
  std::vector<int32_t> sources_;
  std::vector<int64_t> elements_;
};

/// a || b where one side at least is an array: array_concat, array_append, array_prepend.
std::optional<BoundScalar> BindArrayConcat(const BindArguments& arguments);

}  // namespace laminar
