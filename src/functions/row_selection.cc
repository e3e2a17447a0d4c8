#include "functions/row_selection.h"

#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>
#include <arrow/compute/api_vector.h>
#include <arrow/type_traits.h>

#include <algorithm>
#include <set>

#include "functions/elementwise.h"

namespace laminar {

namespace {

void Collect(const Expression& expression, std::set<int>* out) {
  if (const auto* column = dynamic_cast<const ColumnExpression*>(&expression)) out->insert(column->index());
  for (const ExpressionPtr& child : expression.children()) Collect(*child, out);
}

template <typename T>
std::shared_ptr<arrow::Array> InterleaveFixed(const std::vector<ColumnView>& pieces,
                                              const std::vector<int32_t>& piece_of,
                                              const std::vector<int32_t>& row_of,
                                              const std::shared_ptr<arrow::DataType>& type) {
  const int64_t rows = static_cast<int64_t>(piece_of.size());
  std::vector<ColumnReader<T>> readers(pieces.begin(), pieces.end());
  CallShape shape;
  shape.constant = false;
  shape.rows = rows;
  elementwise::ValueWriter<T> writer(rows);
  ValidityWriter validity(shape);
  const bool nulls =
      std::any_of(pieces.begin(), pieces.end(), [](const ColumnView& p) { return p.may_have_nulls(); });
  for (int64_t i = 0; i < rows; ++i) {
    const ColumnReader<T>& reader = readers[piece_of[i]];
    writer.Set(i, reader[row_of[i]]);
    if (nulls && reader.IsNull(row_of[i])) validity.SetNull(i);
  }
  return FinishColumn(shape, type, validity.Finish(), *writer.Finish()).make_array();
}

arrow::Result<std::shared_ptr<arrow::Array>> InterleaveText(const std::vector<ColumnView>& pieces,
                                                            const std::vector<int32_t>& piece_of,
                                                            const std::vector<int32_t>& row_of,
                                                            const std::shared_ptr<arrow::DataType>& type) {
  const int64_t rows = static_cast<int64_t>(piece_of.size());
  std::vector<ColumnReader<std::string_view>> readers(pieces.begin(), pieces.end());
  CallShape shape;
  shape.constant = false;
  shape.rows = rows;
  TextWriter writer(rows, rows * 16);
  ValidityWriter validity(shape);
  for (int64_t i = 0; i < rows; ++i) {
    const auto& reader = readers[piece_of[i]];
    if (reader.IsNull(row_of[i])) {
      validity.SetNull(i);
    } else {
      writer.Append(reader[row_of[i]]);
    }
    writer.EndRow();
  }
  ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
  return FinishColumn(shape, type, validity.Finish(), std::move(buffers)).make_array();
}

/// Any type: all pieces end to end, then one Take.
arrow::Result<std::shared_ptr<arrow::Array>> InterleaveAny(const std::vector<ColumnView>& pieces,
                                                           const std::vector<int32_t>& piece_of,
                                                           const std::vector<int32_t>& row_of) {
  arrow::ArrayVector arrays;
  std::vector<int64_t> starts;
  int64_t total = 0;
  for (const ColumnView& piece : pieces) {
    arrays.push_back(arrow::MakeArray(piece.data()));
    starts.push_back(total);
    total += arrays.back()->length();
  }
  const int64_t rows = static_cast<int64_t>(piece_of.size());
  elementwise::ValueWriter<int64_t> indices(rows);
  for (int64_t i = 0; i < rows; ++i) {
    indices.Set(i, starts[piece_of[i]] + (pieces[piece_of[i]].is_constant() ? 0 : row_of[i]));
  }
  ARROW_ASSIGN_OR_RAISE(auto all, arrow::Concatenate(arrays));
  const arrow::Int64Array at(rows, (*indices.Finish())[0]);
  return arrow::compute::Take(*all, at, arrow::compute::TakeOptions::NoBoundsCheck());
}

}  // namespace

std::vector<int> ReferencedColumns(const std::vector<ExpressionPtr>& expressions) {
  std::set<int> out;
  for (const ExpressionPtr& expression : expressions) Collect(*expression, &out);
  return {out.begin(), out.end()};
}

arrow::Result<Batch> SelectRows(const Batch& batch, const std::vector<int32_t>& rows,
                                const std::vector<int>& columns) {
  Batch out;
  out.num_rows = static_cast<int64_t>(rows.size());
  out.split = batch.split;
  out.columns.resize(batch.columns.size());
  const arrow::Int32Array indices(out.num_rows, arrow::Buffer::Wrap(rows));
  for (int column : columns) {
    ARROW_ASSIGN_OR_RAISE(
        out.columns[column],
        arrow::compute::Take(*batch.columns[column], indices, arrow::compute::TakeOptions::NoBoundsCheck()));
  }
  return out;
}

arrow::Result<std::shared_ptr<arrow::Array>> Interleave(const std::vector<arrow::Datum>& pieces,
                                                        const std::vector<int32_t>& piece_of,
                                                        const std::vector<int32_t>& row_of,
                                                        const std::shared_ptr<arrow::DataType>& type) {
  std::vector<ColumnView> views;
  for (const arrow::Datum& piece : pieces) views.emplace_back(piece);
  if (type->id() == arrow::Type::BOOL) return InterleaveFixed<bool>(views, piece_of, row_of, type);
  if (arrow::is_base_binary_like(type->id())) return InterleaveText(views, piece_of, row_of, type);
  switch (arrow::is_fixed_width(type->id()) ? type->byte_width() : 0) {
    case 1:
      return InterleaveFixed<int8_t>(views, piece_of, row_of, type);
    case 2:
      return InterleaveFixed<int16_t>(views, piece_of, row_of, type);
    case 4:
      return InterleaveFixed<int32_t>(views, piece_of, row_of, type);
    case 8:
      return InterleaveFixed<int64_t>(views, piece_of, row_of, type);
    default:
      return InterleaveAny(views, piece_of, row_of);
  }
}

void SplitByCondition(const arrow::Datum& condition, const std::vector<int32_t>& open,
                      std::vector<int32_t>* is_true, std::vector<int32_t>* is_not_true) {
  const ColumnReader<bool> reader(condition);
  for (size_t i = 0; i < open.size(); ++i) {
    const int64_t row = static_cast<int64_t>(i);
    const bool yes = reader.IsValid(row) && reader[row];
    (yes ? is_true : is_not_true)->push_back(open[i]);
  }
}

}  // namespace laminar
