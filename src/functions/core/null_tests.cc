/// NOT, and the IS family, which never gives NULL.

#include <arrow/scalar.h>
#include <arrow/util/bitmap_ops.h>

#include "functions/elementwise.h"
#include "functions/overload.h"
#include "functions/register_scalar_core.h"

namespace laminar {

namespace {

/// `x IS [NOT] …` of a BOOLEAN or of any value's nullness.
enum class Asked { kNull, kTrue, kFalse };

/// Bits of rows where the answer to `asked` is yes.
arrow::Result<arrow::Datum> AnswerIs(const ScalarCall& call, Asked asked, bool negate) {
  CallShape shape;
  shape.constant = call.args[0].is_scalar();
  shape.rows = shape.constant ? 1 : call.num_rows;
  const ColumnView view(call.args[0]);
  const arrow::ArrayData& data = *view.data();
  auto bits = AllocateBits(shape.rows, false);
  uint8_t* out = bits->mutable_data();
  const bool all_null = data.type->id() == arrow::Type::NA;
  const uint8_t* valid = !all_null && data.GetNullCount() > 0 ? data.buffers[0]->data() : nullptr;
  if (asked == Asked::kNull) {
    if (all_null) arrow::bit_util::SetBitsTo(out, 0, shape.rows, true);
    if (valid) arrow::internal::InvertBitmap(valid, data.offset, shape.rows, out, 0);
  } else if (!all_null && shape.rows > 0) {
    if (asked == Asked::kTrue) {
      arrow::internal::CopyBitmap(data.buffers[1]->data(), data.offset, shape.rows, out, 0);
    } else {
      arrow::internal::InvertBitmap(data.buffers[1]->data(), data.offset, shape.rows, out, 0);
    }
    if (valid) arrow::internal::BitmapAnd(out, 0, valid, data.offset, shape.rows, 0, out);
  }
  if (negate) arrow::internal::InvertBitmap(out, 0, shape.rows, out, 0);
  return FinishColumn(shape, arrow::boolean(), nullptr, {bits});
}

void AddIs(FunctionRegistry& registry, const std::string& what, Asked asked, bool negate,
           const std::string& example, const std::string& result) {
  ScalarFunction function;
  std::string name = std::string(negate ? "is_not_" : "is_") + what;
  std::string shown = what;
  for (char& c : shown) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  function.names = {name};
  function.doc = {"Operators", std::string("x IS ") + (negate ? "NOT " : "") + shown + " → boolean",
                  "Never NULL. UNKNOWN is a NULL of type BOOLEAN.", example, result};
  const bool any_type = what == "null";
  function.overloads = {[=](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 1) return std::nullopt;
    const Type type = any_type ? arguments.types[0] : Type::Boolean();
    if (!ImplicitlyCastable(arguments.types[0], type)) return std::nullopt;
    return BoundScalar{
        {type}, Type::Boolean(), [=](const ScalarCall& call) { return AnswerIs(call, asked, negate); }};
  }};
  registry.Add(std::move(function));
}

arrow::Result<arrow::Datum> Not(const ScalarCall& call) {
  const CallShape shape = ShapeOf(call);
  if (shape.all_null) return NullDatum(arrow::boolean());
  const ColumnView view(call.args[0]);
  auto bits = AllocateBits(shape.rows, false);
  if (shape.rows > 0) {
    arrow::internal::InvertBitmap(view.data()->buffers[1]->data(), view.data()->offset, shape.rows,
                                  bits->mutable_data(), 0);
  }
  return FinishColumn(shape, arrow::boolean(), shape.valid, {bits});
}

/// TRUE, or the text of argument 1 as an error where argument 0 has a NULL.
arrow::Result<arrow::Datum> AssertNotNull(const ScalarCall& call) {
  const arrow::Datum& value = call.args[0];
  const bool has_null = value.is_scalar() ? !value.scalar()->is_valid && call.num_rows > 0
                        : value.type()->id() == arrow::Type::NA
                            ? call.num_rows > 0
                            : ColumnView(value).data()->GetNullCount() > 0;
  if (has_null) {
    const auto* text = call.args[1].is_scalar()
                           ? dynamic_cast<const arrow::BaseBinaryScalar*>(call.args[1].scalar().get())
                           : nullptr;
    return arrow::Status::Invalid(text && text->is_valid ? text->value->ToString() : "a value is NULL");
  }
  return arrow::Datum(std::make_shared<arrow::BooleanScalar>(true));
}

std::optional<BoundScalar> BindAssertNotNull(const BindArguments& arguments) {
  if (arguments.size() != 2 || !ImplicitlyCastable(arguments.types[1], Type::Text())) return std::nullopt;
  return BoundScalar{{arguments.types[0], Type::Text()}, Type::Boolean(), AssertNotNull};
}

}  // namespace

void RegisterNullTests(FunctionRegistry& registry) {
  registry.Add(ScalarFunction{{"not"},
                              {"Operators", "NOT x → boolean", "NULL for NULL.", "NOT TRUE", "false"},
                              Volatility::kImmutable,
                              {Fixed({Type::Boolean()}, Type::Boolean(), Not)}});
  registry.Add(ScalarFunction{{"assert_not_null"},
                              {"Conditional", "assert_not_null(value, text) → BOOLEAN",
                               "TRUE. A value that is NULL fails the job with the text as its message.",
                               "assert_not_null(1, 'no id')", "true"},
                              Volatility::kImmutable,
                              {BindAssertNotNull}});
  AddIs(registry, "null", Asked::kNull, false, "NULL IS NULL", "true");
  AddIs(registry, "null", Asked::kNull, true, "1 IS NOT NULL", "true");
  AddIs(registry, "true", Asked::kTrue, false, "(NULL::BOOLEAN) IS TRUE", "false");
  AddIs(registry, "true", Asked::kTrue, true, "(NULL::BOOLEAN) IS NOT TRUE", "true");
  AddIs(registry, "false", Asked::kFalse, false, "FALSE IS FALSE", "true");
  AddIs(registry, "false", Asked::kFalse, true, "FALSE IS NOT FALSE", "false");
  AddIs(registry, "unknown", Asked::kNull, false, "(NULL::BOOLEAN) IS UNKNOWN", "true");
  AddIs(registry, "unknown", Asked::kNull, true, "TRUE IS NOT UNKNOWN", "true");
}

}  // namespace laminar
