#include "functions/expression.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <arrow/util/bitmap_ops.h>

#include <algorithm>

#include "base/arrow_result.h"
#include "base/error.h"
#include "functions/elementwise.h"
#include "functions/value_text.h"

namespace laminar {

arrow::Result<arrow::Datum> ColumnExpression::Evaluate(const Batch& rows, const EvalContext&) const {
  LAMINAR_CHECK(index_ < static_cast<int>(rows.columns.size()), "column " + name_ + " of a batch without it");
  return rows.columns[index_];
}

std::string ColumnExpression::ToString() const { return name_ + "#" + std::to_string(index_); }

ExpressionPtr ColumnExpression::WithChildren(std::vector<ExpressionPtr>) const {
  return std::make_shared<ColumnExpression>(index_, name_, type());
}

arrow::Result<arrow::Datum> LiteralExpression::Evaluate(const Batch&, const EvalContext&) const {
  return value_;
}

std::string LiteralExpression::ToString() const {
  if (!value_->is_valid) return type().is_null() ? "NULL" : "NULL::" + type().ToString();
  const std::string text = ScalarToText(*value_, type());
  switch (type().id()) {
    case TypeId::kInt64:
    case TypeId::kDouble:
      return text;
    case TypeId::kBoolean:
      return text == "true" ? "TRUE" : "FALSE";
    default:
      break;
  }
  std::string quoted = "'";
  for (char c : text) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  quoted += "'";
  return type().id() == TypeId::kText ? quoted : quoted + "::" + type().ToString();
}

ExpressionPtr LiteralExpression::WithChildren(std::vector<ExpressionPtr>) const {
  return std::make_shared<LiteralExpression>(value_, type());
}

ExpressionPtr MakeColumn(int index, std::string name, Type type) {
  return std::make_shared<ColumnExpression>(index, std::move(name), std::move(type));
}
ExpressionPtr MakeLiteral(std::shared_ptr<arrow::Scalar> value, Type type) {
  LAMINAR_CHECK(value->type->Equals(*type.arrow_type()),
                "a literal " + type.ToString() + " of " + value->type->ToString());
  return std::make_shared<LiteralExpression>(std::move(value), std::move(type));
}
ExpressionPtr MakeNull(Type type) {
  auto arrow_type = type.arrow_type();
  return MakeLiteral(arrow::MakeNullScalar(arrow_type), std::move(type));
}
ExpressionPtr MakeInt64(int64_t value) {
  return MakeLiteral(std::make_shared<arrow::Int64Scalar>(value), Type::Int64());
}
ExpressionPtr MakeText(std::string value) {
  return MakeLiteral(std::make_shared<arrow::StringScalar>(std::move(value)), Type::Text());
}
ExpressionPtr MakeBoolean(bool value) {
  return MakeLiteral(std::make_shared<arrow::BooleanScalar>(value), Type::Boolean());
}

namespace {

class EvaluatedField final : public FieldExpression {
 public:
  using FieldExpression::FieldExpression;

  arrow::Result<arrow::Datum> Evaluate(const Batch& rows, const EvalContext& context) const override {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum value, input_->Evaluate(rows, context));
    if (value.is_scalar()) {
      if (!value.scalar()->is_valid) return NullDatum(type().arrow_type());
      return static_cast<const arrow::StructScalar&>(*value.scalar()).value[static_cast<size_t>(field_)];
    }
    const auto array = value.make_array();
    const auto& structs = static_cast<const arrow::StructArray&>(*array);
    if (structs.null_count() == 0) return structs.field(field_);
    ARROW_ASSIGN_OR_RAISE(auto field, structs.GetFlattenedField(field_));
    return arrow::Datum(std::move(field));
  }

  std::string ToString() const override {
    return input_->ToString() + "." + input_->type().fields()[static_cast<size_t>(field_)].name;
  }
  ExpressionPtr WithChildren(std::vector<ExpressionPtr> children) const override {
    return std::make_shared<EvaluatedField>(std::move(children[0]), field_, type());
  }
  Volatility volatility() const override { return input_->volatility(); }
  bool can_fail() const override { return input_->can_fail(); }
};

class StructExpression final : public Expression {
 public:
  StructExpression(std::vector<ExpressionPtr> fields, Type type)
      : Expression(std::move(type)), fields_(std::move(fields)) {}

  arrow::Result<arrow::Datum> Evaluate(const Batch& rows, const EvalContext& context) const override {
    std::vector<arrow::Datum> values;
    bool constant = true;
    for (const ExpressionPtr& field : fields_) {
      ARROW_ASSIGN_OR_RAISE(values.emplace_back(), field->Evaluate(rows, context));
      constant = constant && values.back().is_scalar();
    }
    const auto arrow_type = type().arrow_type();
    if (constant) {
      arrow::ScalarVector scalars;
      for (const arrow::Datum& value : values) scalars.push_back(value.scalar());
      return arrow::Datum(std::make_shared<arrow::StructScalar>(std::move(scalars), arrow_type));
    }
    arrow::ArrayVector arrays;
    for (const arrow::Datum& value : values) {
      if (value.is_scalar()) {
        ARROW_ASSIGN_OR_RAISE(arrays.emplace_back(),
                              arrow::MakeArrayFromScalar(*value.scalar(), rows.num_rows));
      } else {
        arrays.push_back(value.make_array());
      }
    }
    return arrow::Datum(std::make_shared<arrow::StructArray>(arrow_type, rows.num_rows, std::move(arrays)));
  }

  std::string ToString() const override {
    std::string out = "struct(";
    for (size_t i = 0; i < fields_.size(); ++i) {
      out += (i ? ", " : "") + fields_[i]->ToString() + " AS " + type().fields()[i].name;
    }
    return out + ")";
  }
  std::vector<ExpressionPtr> children() const override { return fields_; }
  ExpressionPtr WithChildren(std::vector<ExpressionPtr> children) const override {
    return std::make_shared<StructExpression>(std::move(children), type());
  }
  Volatility volatility() const override {
    Volatility most = Volatility::kImmutable;
    for (const ExpressionPtr& field : fields_) most = std::max(most, field->volatility());
    return most;
  }
  bool can_fail() const override {
    return std::any_of(fields_.begin(), fields_.end(), [](const ExpressionPtr& f) { return f->can_fail(); });
  }

 private:
  std::vector<ExpressionPtr> fields_;
};

bool NeedsRows(const Expression& expression) {
  if (dynamic_cast<const ColumnExpression*>(&expression)) return true;
  const auto children = expression.children();
  return std::any_of(children.begin(), children.end(),
                     [](const ExpressionPtr& child) { return NeedsRows(*child); });
}

/// Puts the numbers of the set bits into `out`, 64 bits at a time. `bits` starts at bit 0.
void ListSetRows(const uint8_t* bits, int64_t rows, std::vector<int32_t>* out) {
  out->resize(static_cast<size_t>(arrow::internal::CountSetBits(bits, 0, rows)));
  int32_t* to = out->data();
  for (int64_t begin = 0; begin < rows; begin += 64) {
    const int64_t count = std::min<int64_t>(64, rows - begin);
    uint64_t word = 0;
    std::memcpy(&word, bits + begin / 8, static_cast<size_t>(arrow::bit_util::BytesForBits(count)));
    if (count < 64) word &= (uint64_t{1} << count) - 1;
    for (; word != 0; word &= word - 1) *to++ = static_cast<int32_t>(begin + __builtin_ctzll(word));
  }
}

}  // namespace

ExpressionPtr MakeFieldAccess(ExpressionPtr input, int field) {
  LAMINAR_CHECK(input->type().id() == TypeId::kStruct, "field of " + input->type().ToString());
  if (const auto* made = dynamic_cast<const StructExpression*>(input.get())) {
    const ExpressionPtr part = made->children()[static_cast<size_t>(field)];
    if (part->type() == input->type().fields()[static_cast<size_t>(field)].type) return part;
  }
  Type type = input->type().fields()[static_cast<size_t>(field)].type;
  return std::make_shared<EvaluatedField>(std::move(input), field, std::move(type));
}

ExpressionPtr MakeStruct(std::vector<ExpressionPtr> fields, Type type) {
  LAMINAR_CHECK(fields.size() == type.fields().size(), "struct parts for " + type.ToString());
  for (size_t i = 0; i < fields.size(); ++i)
    fields[i] = MakeCast(std::move(fields[i]), type.fields()[i].type);
  return std::make_shared<StructExpression>(std::move(fields), std::move(type));
}

std::shared_ptr<arrow::Scalar> FoldConstant(const Expression& expression) {
  if (const auto* literal = dynamic_cast<const LiteralExpression*>(&expression)) return literal->value();
  if (expression.volatility() != Volatility::kImmutable || NeedsRows(expression)) return nullptr;
  Batch one_row;
  one_row.num_rows = 1;
  auto value = expression.Evaluate(one_row, EvalContext{});
  if (!value.ok()) return nullptr;
  if (value->is_scalar()) return value->scalar();
  auto scalar = value->make_array()->GetScalar(0);
  return scalar.ok() ? *scalar : nullptr;
}

std::shared_ptr<arrow::Array> EvaluateToArray(const Expression& expression, const Batch& rows,
                                              const EvalContext& context) {
  const arrow::Datum value = OrThrow(expression.Evaluate(rows, context));
  if (value.is_scalar()) return OrThrow(arrow::MakeArrayFromScalar(*value.scalar(), rows.num_rows));
  return value.make_array();
}

void EvaluateFilter(const Expression& predicate, const Batch& rows, const EvalContext& context,
                    std::vector<int32_t>* out) {
  out->clear();
  if (rows.num_rows == 0) return;
  const arrow::Datum value = OrThrow(predicate.Evaluate(rows, context));
  if (value.is_scalar()) {
    const auto& scalar = *value.scalar();
    if (scalar.type->id() != arrow::Type::BOOL || !scalar.is_valid) return;
    if (!static_cast<const arrow::BooleanScalar&>(scalar).value) return;
    for (int64_t row = 0; row < rows.num_rows; ++row) out->push_back(static_cast<int32_t>(row));
    return;
  }
  const arrow::ArrayData& data = *value.array();
  if (data.type->id() != arrow::Type::BOOL) return;
  if (data.GetNullCount() == 0 && data.offset % 8 == 0) {
    return ListSetRows(data.buffers[1]->data() + data.offset / 8, rows.num_rows, out);
  }
  auto is_true = AllocateBits(rows.num_rows, false);
  arrow::internal::CopyBitmap(data.buffers[1]->data(), data.offset, rows.num_rows, is_true->mutable_data(),
                              0);
  if (data.GetNullCount() > 0) {
    arrow::internal::BitmapAnd(is_true->data(), 0, data.buffers[0]->data(), data.offset, rows.num_rows, 0,
                               is_true->mutable_data());
  }
  ListSetRows(is_true->data(), rows.num_rows, out);
}

}  // namespace laminar
