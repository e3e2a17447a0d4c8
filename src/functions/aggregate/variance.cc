/// VAR and STDDEV from Σx and Σx² in double-double (about 100 bits): exact enough to subtract, so that
/// accumulators merge and take rows back without drift. A NaN or ±Inf makes the result NaN for as long as it
/// is there.

#include <cmath>
#include <limits>

#include "functions/aggregate/accumulate.h"
#include "functions/aggregate/column_values.h"
#include "functions/aggregate/definitions.h"
#include "functions/aggregate/double_double.h"

namespace laminar {
namespace {

struct MomentState {
  int64_t count = 0;       // all non-NULL rows
  int64_t not_finite = 0;  // of them NaN and ±Inf
  DoubleDouble sum;
  DoubleDouble sum_squares;

  void Add(double x, int64_t weight) {
    count += weight;
    if (!std::isfinite(x)) [[unlikely]] {
      not_finite += weight;
    } else if (count == not_finite) {
      sum = sum_squares = {};  // nothing finite is left: no residue either
    } else {
      const double weighted = x * static_cast<double>(weight);
      sum.Add(weighted);
      sum_squares.AddProduct(weighted, x);
    }
  }
  void Add(const MomentState& other) {
    count += other.count;
    not_finite += other.not_finite;
    sum.Add(other.sum);
    sum_squares.Add(other.sum_squares);
  }
};

struct VarianceKind {
  bool sample;  // divides by n − 1
  bool square_root;
};

class VarianceFunction final : public PlainAggregate<MomentState> {
 public:
  explicit VarianceFunction(VarianceKind kind) : PlainAggregate(Type::Double()), kind_(kind) {}

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    const ColumnValues<double> column(*input.args[0]);
    const double* values = column.data();
    ForEachValidRow<MomentState>(
        states, input, ValidRows(*input.args[0]),
        [values](MomentState& state, int64_t row, int64_t weight) { state.Add(values[row], weight); });
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) At(into, i).Add(At(from, i));
  }
  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<double> out(count);
    for (int64_t i = 0; i < count; ++i) {
      const MomentState& state = At(states, i);
      const int64_t divisor = state.count - (kind_.sample ? 1 : 0);
      if (divisor > 0) out.Set(i, Value(state, divisor));
    }
    return out.ToArray(result());
  }

 private:
  double Value(const MomentState& state, int64_t divisor) const {
    if (state.not_finite != 0) return std::numeric_limits<double>::quiet_NaN();
    const double central = CentralSum(state.sum_squares, state.sum, state.sum, state.count, /*square=*/true);
    const double variance = central / static_cast<double>(divisor);
    return kind_.square_root ? std::sqrt(variance) : variance;
  }
  VarianceKind kind_;
};

AggregateDefinition Definition(std::vector<std::string> names, VarianceKind kind, std::string signature,
                               std::string description, std::string example, std::string result) {
  auto bind = [name = names[0], kind](const AggregateBindArguments& args) -> BoundAggregate {
    RequireArgumentCount(name, args, 1, 1);
    return {{RequireNumber(name, args.types[0])}, std::make_shared<VarianceFunction>(kind)};
  };
  return {.names = std::move(names),
          .doc = {"Statistics", std::move(signature), std::move(description), std::move(example),
                  std::move(result)},
          .takes_distinct = true,
          .takes_order_by = false,
          .bind = std::move(bind)};
}

}  // namespace

void AddVariance(AggregateDefinitionList* out) {
  out->push_back(
      Definition({"stddev", "stddev_samp"}, {.sample = true, .square_root = true}, "stddev(number) → double",
                 "Sample standard deviation (n − 1); NULL for fewer than two values.", "stddev(x)", "1.0"));
  out->push_back(
      Definition({"stddev_pop"}, {.sample = false, .square_root = true}, "stddev_pop(number) → double",
                 "Population standard deviation (n); NULL without values.", "stddev_pop(x * 0 + 5)", "0.0"));
  out->push_back(Definition(
      {"var_samp", "var", "variance"}, {.sample = true, .square_root = false}, "var_samp(number) → double",
      "Sample variance (n − 1); NULL for fewer than two values.", "var_samp(x)", "1.0"));
  out->push_back(Definition({"var_pop"}, {.sample = false, .square_root = false}, "var_pop(number) → double",
                            "Population variance (n); NULL without values.", "var_pop(x * 3)", "6.0"));
}

}  // namespace laminar
