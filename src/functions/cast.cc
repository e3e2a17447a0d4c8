/// CAST and TRY_CAST.

#include <arrow/array.h>
#include <arrow/scalar.h>

#include "base/error.h"
#include "functions/cast_expression.h"
#include "functions/cast_kernel.h"
#include "functions/expression.h"

namespace laminar {

ValueCast ReinterpretCast(const Type& to) {
  auto arrow_type = to.arrow_type();
  return {[arrow_type](const arrow::Datum& value, int64_t, bool) -> arrow::Result<arrow::Datum> {
            const ColumnView view(value);
            auto data = view.data()->Copy();
            data->type = arrow_type;
            if (!value.is_scalar()) return arrow::Datum(std::move(data));
            ARROW_ASSIGN_OR_RAISE(auto scalar, arrow::MakeArray(data)->GetScalar(0));
            return arrow::Datum(std::move(scalar));
          },
          false};
}

ValueCast ChainCasts(ValueCast first, ValueCast second) {
  if (!first || !second) return {};
  const bool can_fail = first.can_fail || second.can_fail;
  return {
      [first, second](const arrow::Datum& value, int64_t rows, bool try_cast) -> arrow::Result<arrow::Datum> {
        ARROW_ASSIGN_OR_RAISE(auto middle, first.run(value, rows, try_cast));
        return second.run(middle, rows, try_cast);
      },
      can_fail};
}

ValueCast FindCast(const Type& from, const Type& to) {
  for (auto* family : {FindNestedCast, FindNumericCast, FindTemporalCast, FindJsonCast, FindTextCast}) {
    if (ValueCast cast = family(from, to)) return cast;
  }
  return {};
}

namespace {

class EvaluatedCast final : public CastExpression {
 public:
  EvaluatedCast(ExpressionPtr input, Type to, bool try_cast, ValueCast cast)
      : CastExpression(std::move(input), std::move(to), try_cast), cast_(std::move(cast)) {}

  arrow::Result<arrow::Datum> Evaluate(const Batch& rows, const EvalContext& context) const override {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum value, input()->Evaluate(rows, context));
    return cast_.run(value, rows.num_rows, try_cast());
  }
  std::string ToString() const override {
    return std::string(try_cast() ? "TRY_CAST(" : "CAST(") + input()->ToString() + " AS " +
           type().ToString() + ")";
  }
  ExpressionPtr WithChildren(std::vector<ExpressionPtr> children) const override {
    return std::make_shared<EvaluatedCast>(std::move(children[0]), type(), try_cast(), cast_);
  }
  bool can_fail() const override { return input()->can_fail() || (cast_.can_fail && !try_cast()); }

 private:
  ValueCast cast_;
};

}  // namespace

bool CanCast(const Type& from, const Type& to) { return from == to || static_cast<bool>(FindCast(from, to)); }

ExpressionPtr MakeCast(ExpressionPtr input, const Type& to, bool try_cast) {
  if (input->type() == to) return input;
  if (input->type().is_null()) return MakeNull(to);
  ValueCast cast = FindCast(input->type(), to);
  if (!cast) {
    throw UserError(Reason::kTypeError, {},
                    "there is no cast from " + input->type().ToString() + " to " + to.ToString());
  }
  return std::make_shared<EvaluatedCast>(std::move(input), to, try_cast, std::move(cast));
}

}  // namespace laminar
