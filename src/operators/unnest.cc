#include "operators/unnest.h"

#include <arrow/array.h>
#include <arrow/builder.h>

#include <utility>

#include "base/arrow_result.h"
#include "types/gather.h"

namespace laminar {

namespace {

/// Elements in one output batch, unless one array alone has more.
constexpr int64_t kElementsMax = 16'384;

class Unnest final : public Operator {
 public:
  explicit Unnest(UnnestOptions options) : options_(std::move(options)) {}

  void OnBatch(int, Batch batch, Output& out) override {
    const auto& lists =
        static_cast<const arrow::ListArray&>(*batch.columns[static_cast<size_t>(options_.column)]);
    for (int64_t row = 0; row < batch.num_rows; ++row) {
      if (lists.IsNull(row)) continue;
      const int32_t length = lists.value_length(row);
      for (int32_t element = 0; element < length; ++element) {
        rows_.push_back(static_cast<int32_t>(row));
        elements_.push_back(lists.value_offset(row) + element);
        if (options_.with_ordinality) ordinals_.push_back(element + 1);
      }
      if (static_cast<int64_t>(rows_.size()) >= kElementsMax) Send(batch, lists, out);
    }
    Send(batch, lists, out);
  }

 private:
  void Send(const Batch& batch, const arrow::ListArray& lists, Output& out) {
    if (rows_.empty()) return;
    Batch kept;
    kept.num_rows = batch.num_rows;
    kept.weights = batch.weights;
    kept.split = batch.split;
    for (int column : options_.keep) kept.columns.push_back(batch.columns[static_cast<size_t>(column)]);
    Batch rows = Take(kept, rows_);
    if (lists.type_id() == arrow::Type::MAP) {
      // Not MapArray::keys(), which forgets the offset of a sliced entry array.
      const auto& entries = static_cast<const arrow::StructArray&>(*lists.values());
      rows.columns.push_back(Elements(entries.field(0)));
      rows.columns.push_back(Elements(entries.field(1)));
    } else {
      rows.columns.push_back(Elements(lists.values()));
    }
    if (options_.with_ordinality) rows.columns.push_back(Ordinals());
    rows_.clear();
    elements_.clear();
    ordinals_.clear();
    out.Emit(std::move(rows));
  }

  /// The values at `elements_`: a slice where they lie together (NULL arrays can hide values in between).
  std::shared_ptr<arrow::Array> Elements(const std::shared_ptr<arrow::Array>& values) const {
    const auto count = static_cast<int64_t>(elements_.size());
    if (elements_.back() - elements_.front() + 1 == count) return values->Slice(elements_.front(), count);
    return Gather(values, elements_.data(), count);
  }

  std::shared_ptr<arrow::Array> Ordinals() const {
    arrow::Int64Builder builder;
    OrThrow(builder.AppendValues(ordinals_));
    return OrThrow(builder.Finish());
  }

  const UnnestOptions options_;
  // Of the output batch being made: input row, position in the array of all elements, position from 1. Kept
  // for their memory.
  std::vector<int32_t> rows_;
  std::vector<int32_t> elements_;
  std::vector<int64_t> ordinals_;
};

}  // namespace

std::unique_ptr<Operator> MakeUnnest(UnnestOptions options) {
  return std::make_unique<Unnest>(std::move(options));
}

}  // namespace laminar
