/// Three-valued AND and OR, eight rows at a time.

#include <arrow/array.h>
#include <arrow/scalar.h>
#include <arrow/util/bitmap_ops.h>

#include <algorithm>

#include "base/error.h"
#include "functions/elementwise.h"
#include "functions/expression.h"
#include "functions/row_selection.h"

namespace laminar {

namespace {

/// A BOOLEAN column as two bitmaps that start at bit 0: true, and false. A row in neither is NULL.
struct TruthBits {
  std::shared_ptr<arrow::Buffer> is_true;
  std::shared_ptr<arrow::Buffer> is_false;
};

TruthBits ConstantTruth(const arrow::Scalar& scalar, int64_t rows) {
  const bool value = scalar.is_valid && static_cast<const arrow::BooleanScalar&>(scalar).value;
  return {AllocateBits(rows, scalar.is_valid && value), AllocateBits(rows, scalar.is_valid && !value)};
}

TruthBits ReadTruth(const arrow::Datum& datum, int64_t rows) {
  if (datum.is_scalar()) return ConstantTruth(*datum.scalar(), rows);
  const arrow::ArrayData& data = *datum.array();
  TruthBits bits{AllocateBits(rows, false), AllocateBits(rows, false)};
  if (rows == 0 || data.type->id() == arrow::Type::NA) return bits;
  uint8_t* is_true = bits.is_true->mutable_data();
  uint8_t* is_false = bits.is_false->mutable_data();
  arrow::internal::CopyBitmap(data.buffers[1]->data(), data.offset, rows, is_true, 0);
  arrow::internal::InvertBitmap(data.buffers[1]->data(), data.offset, rows, is_false, 0);
  if (data.GetNullCount() > 0) {
    arrow::internal::BitmapAnd(is_true, 0, data.buffers[0]->data(), data.offset, rows, 0, is_true);
    arrow::internal::BitmapAnd(is_false, 0, data.buffers[0]->data(), data.offset, rows, 0, is_false);
  }
  return bits;
}

/// AND: true where both are, false where one is. OR is AND with true and false exchanged.
arrow::Datum Combine(const arrow::Datum& left, const arrow::Datum& right, int64_t rows, bool is_or) {
  CallShape shape;
  shape.constant = left.is_scalar() && right.is_scalar();
  shape.rows = shape.constant ? 1 : rows;
  TruthBits a = ReadTruth(left, shape.rows);
  const TruthBits b = ReadTruth(right, shape.rows);
  uint8_t* all = (is_or ? a.is_false : a.is_true)->mutable_data();
  uint8_t* any = (is_or ? a.is_true : a.is_false)->mutable_data();
  const uint8_t* other_all = (is_or ? b.is_false : b.is_true)->data();
  const uint8_t* other_any = (is_or ? b.is_true : b.is_false)->data();
  for (int64_t i = 0; i < arrow::bit_util::BytesForBits(shape.rows); ++i) {
    all[i] &= other_all[i];
    any[i] |= other_any[i];
  }
  auto valid = AllocateBits(shape.rows, false);
  arrow::internal::BitmapOr(all, 0, any, 0, shape.rows, 0, valid->mutable_data());
  const bool nulls = arrow::internal::CountSetBits(valid->data(), 0, shape.rows) != shape.rows;
  return FinishColumn(shape, arrow::boolean(), nulls ? valid : nullptr, {a.is_true});
}

class EvaluatedLogic final : public LogicalExpression {
 public:
  EvaluatedLogic(Kind kind, ExpressionPtr left, ExpressionPtr right)
      : LogicalExpression(kind, std::move(left), std::move(right)),
        is_or_(kind == Kind::kOr),
        right_columns_(ReferencedColumns({right_})) {}

  arrow::Result<arrow::Datum> Evaluate(const Batch& batch, const EvalContext& context) const override {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum left, left_->Evaluate(batch, context));
    if (left.is_scalar()) {
      const auto& scalar = *left.scalar();
      if (scalar.is_valid && static_cast<const arrow::BooleanScalar&>(scalar).value == is_or_) return left;
      ARROW_ASSIGN_OR_RAISE(arrow::Datum right, right_->Evaluate(batch, context));
      return Combine(left, right, batch.num_rows, is_or_);
    }
    if (!right_->can_fail()) {
      ARROW_ASSIGN_OR_RAISE(arrow::Datum right, right_->Evaluate(batch, context));
      return Combine(left, right, batch.num_rows, is_or_);
    }
    return EvaluateOpenRows(left, batch, context);
  }

  std::string ToString() const override {
    return "(" + left_->ToString() + (is_or_ ? " OR " : " AND ") + right_->ToString() + ")";
  }
  ExpressionPtr WithChildren(std::vector<ExpressionPtr> children) const override {
    return std::make_shared<EvaluatedLogic>(kind_, std::move(children[0]), std::move(children[1]));
  }
  Volatility volatility() const override { return std::max(left_->volatility(), right_->volatility()); }
  bool can_fail() const override { return left_->can_fail() || right_->can_fail(); }

 private:
  arrow::Result<arrow::Datum> EvaluateOpenRows(const arrow::Datum& left, const Batch& batch,
                                               const EvalContext& context) const {
    std::vector<int32_t> open;
    const ColumnReader<bool> reader(left);
    for (int64_t row = 0; row < batch.num_rows; ++row) {
      if (reader.IsNull(row) || reader[row] != is_or_) open.push_back(static_cast<int32_t>(row));
    }
    if (open.empty()) return left;
    if (static_cast<int64_t>(open.size()) == batch.num_rows) {
      ARROW_ASSIGN_OR_RAISE(arrow::Datum right, right_->Evaluate(batch, context));
      return Combine(left, right, batch.num_rows, is_or_);
    }
    ARROW_ASSIGN_OR_RAISE(Batch part, SelectRows(batch, open, right_columns_));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum right, right_->Evaluate(part, context));
    // Rows that the left side settles take its value from piece 0.
    std::vector<int32_t> piece_of(static_cast<size_t>(batch.num_rows), 0);
    std::vector<int32_t> row_of(static_cast<size_t>(batch.num_rows), 0);
    for (size_t i = 0; i < open.size(); ++i) {
      piece_of[open[i]] = 1;
      row_of[open[i]] = static_cast<int32_t>(i);
    }
    const arrow::Datum settled(std::make_shared<arrow::BooleanScalar>(is_or_));
    ARROW_ASSIGN_OR_RAISE(auto whole, Interleave({settled, right}, piece_of, row_of, arrow::boolean()));
    return Combine(left, whole, batch.num_rows, is_or_);
  }

  bool is_or_;
  std::vector<int> right_columns_;
};

ExpressionPtr MakeLogic(LogicalExpression::Kind kind, ExpressionPtr left, ExpressionPtr right) {
  auto as_boolean = [](ExpressionPtr e) { return e->type().is_null() ? MakeNull(Type::Boolean()) : e; };
  left = as_boolean(std::move(left));
  right = as_boolean(std::move(right));
  LAMINAR_CHECK(left->type() == Type::Boolean() && right->type() == Type::Boolean(),
                "AND/OR over non-BOOLEAN");
  return std::make_shared<EvaluatedLogic>(kind, std::move(left), std::move(right));
}

}  // namespace

ExpressionPtr MakeAnd(ExpressionPtr left, ExpressionPtr right) {
  return MakeLogic(LogicalExpression::Kind::kAnd, std::move(left), std::move(right));
}
ExpressionPtr MakeOr(ExpressionPtr left, ExpressionPtr right) {
  return MakeLogic(LogicalExpression::Kind::kOr, std::move(left), std::move(right));
}

}  // namespace laminar
