/// CORR, COVAR_* and REGR_* over pairs without NULL, from the five raw sums in double-double (see
/// variance.cc). As in PostgreSQL the first argument is y, the dependent variable.

#include <cmath>
#include <limits>
#include <optional>

#include "functions/aggregate/accumulate.h"
#include "functions/aggregate/column_values.h"
#include "functions/aggregate/definitions.h"
#include "functions/aggregate/double_double.h"

namespace laminar {
namespace {

struct PairState {
  int64_t count = 0;
  int64_t not_finite = 0;  // pairs with a NaN or ±Inf
  DoubleDouble sum_x, sum_y, sum_xx, sum_yy, sum_xy;

  void Add(double y, double x, int64_t weight) {
    count += weight;
    if (!std::isfinite(x) || !std::isfinite(y)) [[unlikely]] {
      not_finite += weight;
    } else if (count == not_finite) {
      sum_x = sum_y = sum_xx = sum_yy = sum_xy = {};  // nothing finite is left: no residue either
    } else {
      const double w = static_cast<double>(weight);
      sum_x.Add(x * w);
      sum_y.Add(y * w);
      sum_xx.AddProduct(x * w, x);
      sum_yy.AddProduct(y * w, y);
      sum_xy.AddProduct(x * w, y);
    }
  }
  void Add(const PairState& other) {
    count += other.count;
    not_finite += other.not_finite;
    sum_x.Add(other.sum_x);
    sum_y.Add(other.sum_y);
    sum_xx.Add(other.sum_xx);
    sum_yy.Add(other.sum_yy);
    sum_xy.Add(other.sum_xy);
  }

  double sxx() const { return CentralSum(sum_xx, sum_x, sum_x, count, /*square=*/true); }
  double syy() const { return CentralSum(sum_yy, sum_y, sum_y, count, /*square=*/true); }
  double sxy() const { return CentralSum(sum_xy, sum_x, sum_y, count, /*square=*/false); }
  double mean_x() const { return sum_x.value() / static_cast<double>(count); }
  double mean_y() const { return sum_y.value() / static_cast<double>(count); }
};

enum class PairKind { kCorr, kCovarPop, kCovarSamp, kSlope, kIntercept, kR2, kAvgX, kAvgY, kSxx, kSyy, kSxy };

/// nullopt: NULL. `state` has only finite pairs and at least one.
std::optional<double> PairResult(PairKind kind, const PairState& state) {
  const double n = static_cast<double>(state.count);
  switch (kind) {
    case PairKind::kAvgX:
      return state.mean_x();
    case PairKind::kAvgY:
      return state.mean_y();
    case PairKind::kSxx:
      return state.sxx();
    case PairKind::kSyy:
      return state.syy();
    case PairKind::kSxy:
      return state.sxy();
    case PairKind::kCovarPop:
      return state.sxy() / n;
    case PairKind::kCovarSamp:
      if (state.count < 2) return std::nullopt;
      return state.sxy() / (n - 1);
    case PairKind::kCorr: {
      const double sxx = state.sxx(), syy = state.syy();
      if (sxx == 0 || syy == 0) return std::nullopt;
      const double product = sxx * syy;  // one root is exact where it can be; the product may be out of range
      const double root = std::isnormal(product) ? std::sqrt(product) : std::sqrt(sxx) * std::sqrt(syy);
      return std::fmin(1, std::fmax(-1, state.sxy() / root));
    }
    case PairKind::kSlope:
    case PairKind::kIntercept: {
      const double sxx = state.sxx();
      if (sxx == 0) return std::nullopt;
      const double slope = state.sxy() / sxx;
      return kind == PairKind::kSlope ? slope : state.mean_y() - slope * state.mean_x();
    }
    case PairKind::kR2: {
      const double sxx = state.sxx(), syy = state.syy(), sxy = state.sxy();
      if (sxx == 0) return std::nullopt;
      if (syy == 0) return 1;
      return std::fmin(1, (sxy / sxx) * (sxy / syy));
    }
  }
  return std::nullopt;
}

class PairFunction final : public PlainAggregate<PairState> {
 public:
  explicit PairFunction(PairKind kind) : PlainAggregate(Type::Double()), kind_(kind) {}

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    const ColumnValues<double> y_column(*input.args[0]), x_column(*input.args[1]);
    const double* y = y_column.data();
    const double* x = x_column.data();
    ForEachValidRow<PairState>(
        states, input, ValidRows(input.args, 2),
        [x, y](PairState& state, int64_t row, int64_t weight) { state.Add(y[row], x[row], weight); });
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) At(into, i).Add(At(from, i));
  }
  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<double> out(count);
    for (int64_t i = 0; i < count; ++i) {
      const PairState& state = At(states, i);
      if (state.count <= 0) continue;
      if (state.not_finite != 0) {
        out.Set(i, std::numeric_limits<double>::quiet_NaN());
      } else if (auto value = PairResult(kind_, state)) {
        out.Set(i, *value);
      }
    }
    return out.ToArray(result());
  }

 private:
  PairKind kind_;
};

AggregateDefinition Definition(std::vector<std::string> names, PairKind kind, std::string description,
                               std::string example, std::string result) {
  auto bind = [name = names[0], kind](const AggregateBindArguments& args) -> BoundAggregate {
    RequireArgumentCount(name, args, 2, 2);
    return {{RequireNumber(name, args.types[0]), RequireNumber(name, args.types[1])},
            std::make_shared<PairFunction>(kind)};
  };
  std::string signature = names[0] + "(y, x) → double";
  return {.names = std::move(names),
          .doc = {"Statistics", std::move(signature), description + " Pairs with a NULL are left out.",
                  std::move(example), std::move(result)},
          .takes_distinct = false,
          .takes_order_by = false,
          .bind = std::move(bind)};
}

}  // namespace

// regr_count is COUNT(y, x), and is defined beside COUNT.
void AddRegression(AggregateDefinitionList* out) {
  out->push_back(Definition({"corr"}, PairKind::kCorr,
                            "Correlation of two numbers; NULL when one of them never varies.",
                            "round(corr(x, x * 2), 6)", "1.0"));
  out->push_back(Definition({"covar_pop"}, PairKind::kCovarPop, "Population covariance (n).",
                            "covar_pop(x, x * 3)", "2.0"));
  out->push_back(Definition({"covar_samp", "covar"}, PairKind::kCovarSamp,
                            "Sample covariance (n − 1); NULL for fewer than two pairs.", "covar_samp(x, x)",
                            "1.0"));
  out->push_back(Definition({"regr_slope"}, PairKind::kSlope,
                            "Slope of the least-squares line; NULL when x never varies.",
                            "regr_slope(x * 2 + 1, x)", "2.0"));
  out->push_back(Definition({"regr_intercept"}, PairKind::kIntercept,
                            "Where the least-squares line crosses x = 0; NULL when x never varies.",
                            "regr_intercept(x * 2 + 1, x)", "1.0"));
  out->push_back(Definition({"regr_r2"}, PairKind::kR2,
                            "Square of the correlation; 1 when y never varies, NULL when x never does.",
                            "regr_r2(x * 2, x)", "1.0"));
  out->push_back(Definition({"regr_avgx"}, PairKind::kAvgX, "Mean of x.", "regr_avgx(0, x)", "2.0"));
  out->push_back(Definition({"regr_avgy"}, PairKind::kAvgY, "Mean of y.", "regr_avgy(x, 0)", "2.0"));
  out->push_back(
      Definition({"regr_sxx"}, PairKind::kSxx, "Sum of squared deviations of x.", "regr_sxx(0, x)", "2.0"));
  out->push_back(
      Definition({"regr_syy"}, PairKind::kSyy, "Sum of squared deviations of y.", "regr_syy(x, 0)", "2.0"));
  out->push_back(
      Definition({"regr_sxy"}, PairKind::kSxy, "Sum of products of deviations.", "regr_sxy(x, x)", "2.0"));
}

}  // namespace laminar
