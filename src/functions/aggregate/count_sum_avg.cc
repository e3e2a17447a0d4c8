/// COUNT, SUM and AVG. Sums are kept wide (128 bits for integers, 192 for DECIMAL) and checked when asked
/// for, so that a sum may leave the result's range and come back. Sums of DOUBLE are compensated; under
/// retraction NaN and ±Inf are counted apart, so that taking them back gives the old sum.

#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "functions/aggregate/accumulate.h"
#include "functions/aggregate/column_values.h"
#include "functions/aggregate/definitions.h"
#include "functions/aggregate/double_double.h"

namespace laminar {
namespace {

struct CountState {
  int64_t count = 0;
};

/// COUNT(*) without arguments, otherwise rows where all arguments are non-NULL.
class CountFunction final : public PlainAggregate<CountState> {
 public:
  CountFunction() : PlainAggregate(Type::Int64()) {}
  std::vector<Field> state_fields() const override { return {{"", Type::Int64()}}; }

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    const ValidRows valid(input.args, input.args.size());
    if (valid.all() && !input.weights && OneGroup(states, input.count)) {
      At(states, 0).count += input.count;
      return;
    }
    ForEachValidRow<CountState>(states, input, valid,
                                [](CountState& state, int64_t, int64_t weight) { state.count += weight; });
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) At(into, i).count += At(from, i).count;
  }
  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<int64_t> out(count);
    for (int64_t i = 0; i < count; ++i) out.Set(i, At(states, i).count);
    return out.ToArray(result());
  }
};

struct IntegerSumState {
  StoredInt128 sum;
  int64_t count = 0;  // non-NULL rows, by weight
};

/// T is int64_t or uint64_t.
template <typename T>
class IntegerSumBase : public PlainAggregate<IntegerSumState> {
 public:
  using PlainAggregate::PlainAggregate;
  std::vector<Field> state_fields() const override {
    return {{"sum", Type::Decimal(38, 0)}, {"count", Type::Int64()}};
  }

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    const ColumnValues<T> column(*input.args[0]);
    const T* values = column.data();
    ForEachValidRow<IntegerSumState>(states, input, ValidRows(*input.args[0]),
                                     [values](IntegerSumState& state, int64_t row, int64_t weight) {
                                       state.sum.Add(static_cast<__int128>(values[row]) * weight);
                                       state.count += weight;
                                     });
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) {
      this->At(into, i).sum.Add(this->At(from, i).sum.get());
      this->At(into, i).count += this->At(from, i).count;
    }
  }
};

template <typename T>
class IntegerSum final : public IntegerSumBase<T> {
 public:
  IntegerSum() : IntegerSumBase<T>(std::is_signed_v<T> ? Type::Int64() : Type::UInt64()) {}

  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<T> out(count);
    for (int64_t i = 0; i < count; ++i) {
      const IntegerSumState& state = this->At(states, i);
      if (state.count == 0) continue;
      const __int128 sum = state.sum.get();
      if (sum < std::numeric_limits<T>::min() || sum > std::numeric_limits<T>::max()) ThrowOverflow(sum);
      out.Set(i, static_cast<T>(sum));
    }
    return out.ToArray(this->result());
  }

 private:
  [[noreturn]] void ThrowOverflow(__int128 sum) const {
    throw QueryError(fmt::format(
        "sum {} is out of range of {}: cast the argument to DECIMAL or DOUBLE",
        arrow::Decimal128(static_cast<int64_t>(sum >> 64), static_cast<uint64_t>(sum)).ToIntegerString(),
        this->result().ToString()));
  }
};

template <typename T>
class IntegerAverage final : public IntegerSumBase<T> {
 public:
  IntegerAverage() : IntegerSumBase<T>(Type::Double()) {}

  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<double> out(count);
    for (int64_t i = 0; i < count; ++i) {
      const IntegerSumState& state = this->At(states, i);
      if (state.count == 0) continue;
      out.Set(i, static_cast<double>(state.sum.get()) / static_cast<double>(state.count));
    }
    return out.ToArray(this->result());
  }
};

struct DecimalSumState {
  StoredInt192 sum;
  int64_t count = 0;
};

class DecimalSumBase : public PlainAggregate<DecimalSumState> {
 public:
  using PlainAggregate::PlainAggregate;

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    const ColumnValues<StoredInt128> column(*input.args[0]);
    const StoredInt128* values = column.data();
    ForEachValidRow<DecimalSumState>(states, input, ValidRows(*input.args[0]),
                                     [values](DecimalSumState& state, int64_t row, int64_t weight) {
                                       state.sum.Add(values[row].get(), weight);
                                       state.count += weight;
                                     });
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) {
      At(into, i).sum.Add(At(from, i).sum);
      At(into, i).count += At(from, i).count;
    }
  }

 protected:
  static arrow::Decimal256 Sum(const DecimalSumState& state) {
    const uint64_t sign = state.sum.high < 0 ? ~uint64_t{0} : 0;
    return arrow::BasicDecimal256(
        arrow::BasicDecimal256::LittleEndianArray,
        {state.sum.low, state.sum.middle, static_cast<uint64_t>(state.sum.high), sign});
  }
  /// Throws QueryError when `value` has more than 38 digits.
  StoredInt128 Checked(const arrow::Decimal256& value, const char* what) const {
    const int scale = result().scale();
    if (!value.FitsInPrecision(result().precision())) {
      throw QueryError(
          fmt::format("{} {} is out of range of {}", what, value.ToString(scale), result().ToString()));
    }
    const auto words = value.little_endian_array();
    StoredInt128 out;
    out.low = words[0];
    out.high = static_cast<int64_t>(words[1]);
    return out;
  }
};

class DecimalSum final : public DecimalSumBase {
 public:
  explicit DecimalSum(int scale) : DecimalSumBase(Type::Decimal(38, scale)) {}

  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<StoredInt128> out(count);
    for (int64_t i = 0; i < count; ++i) {
      if (At(states, i).count != 0) out.Set(i, Checked(Sum(At(states, i)), "sum"));
    }
    return out.ToArray(result());
  }
};

/// Four more digits behind the point than the argument, rounded half away from zero.
class DecimalAverage final : public DecimalSumBase {
 public:
  DecimalAverage(int precision, int scale)
      : DecimalSumBase(Type::Decimal(std::min(38, precision + 4), std::min(38, scale + 4))),
        argument_scale_(scale) {}

  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<StoredInt128> out(count);
    for (int64_t i = 0; i < count; ++i) {
      const DecimalSumState& state = At(states, i);
      if (state.count != 0) out.Set(i, Checked(Divide(Sum(state), state.count), "avg"));
    }
    return out.ToArray(result());
  }

 private:
  arrow::Decimal256 Divide(const arrow::Decimal256& sum, int64_t count) const {
    const arrow::BasicDecimal256 scaled(sum.IncreaseScaleBy(result().scale() - argument_scale_));
    arrow::BasicDecimal256 quotient, remainder;
    scaled.Divide(arrow::BasicDecimal256(count), &quotient, &remainder);
    // |2 * remainder| >= |count| rounds away from zero.
    const arrow::BasicDecimal256 twice = arrow::BasicDecimal256::Abs(remainder) * arrow::BasicDecimal256(2);
    if (twice >= arrow::BasicDecimal256(std::abs(count))) {
      quotient += arrow::BasicDecimal256((scaled.Sign() < 0) != (count < 0) ? -1 : 1);
    }
    return quotient;
  }
  int argument_scale_;
};

/// Append-only: NaN and ±Inf go straight into the sum, as IEEE 754 has it.
struct DoubleSumState {
  DoubleDouble sum;
  int64_t count = 0;

  void Add(double value, int64_t weight) {
    sum.Add(value * static_cast<double>(weight));
    count += weight;
  }
  void Add(const DoubleSumState& other) {
    sum.Add(other.sum);
    count += other.count;
  }
  /// Once hi is NaN or infinite, lo is meaningless.
  double value() const { return std::isfinite(sum.hi) ? sum.value() : sum.hi; }
};

struct RetractableDoubleSumState {
  DoubleDouble sum;  // of the finite values
  int64_t count = 0;
  int64_t nans = 0;
  int64_t infinities = 0;
  int64_t negative_infinities = 0;

  void Add(double value, int64_t weight) {
    count += weight;
    if (std::isfinite(value)) [[likely]] {
      sum.Add(value * static_cast<double>(weight));
      if (count == nans + infinities + negative_infinities)
        sum = {};  // nothing finite is left: no residue either
    } else if (std::isnan(value)) {
      nans += weight;
    } else {
      (value > 0 ? infinities : negative_infinities) += weight;
    }
  }
  void Add(const RetractableDoubleSumState& other) {
    sum.Add(other.sum);
    count += other.count;
    nans += other.nans;
    infinities += other.infinities;
    negative_infinities += other.negative_infinities;
  }
  double value() const {
    if (nans != 0 || (infinities != 0 && negative_infinities != 0))
      return std::numeric_limits<double>::quiet_NaN();
    if (infinities != 0) return std::numeric_limits<double>::infinity();
    if (negative_infinities != 0) return -std::numeric_limits<double>::infinity();
    return std::isfinite(sum.hi) ? sum.value() : sum.hi;
  }
};

template <typename State, bool kAverage>
class DoubleSum final : public PlainAggregate<State> {
 public:
  DoubleSum() : PlainAggregate<State>(Type::Double()) {}

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    const ColumnValues<double> column(*input.args[0]);
    const double* values = column.data();
    ForEachValidRow<State>(
        states, input, ValidRows(*input.args[0]),
        [values](State& state, int64_t row, int64_t weight) { state.Add(values[row], weight); });
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) this->At(into, i).Add(this->At(from, i));
  }
  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<double> out(count);
    for (int64_t i = 0; i < count; ++i) {
      const State& state = this->At(states, i);
      if (state.count == 0) continue;
      out.Set(i, kAverage ? state.value() / static_cast<double>(state.count) : state.value());
    }
    return out.ToArray(Type::Double());
  }
};

template <bool kAverage>
BoundAggregate BindDoubleSum(bool retractable) {
  if (retractable)
    return {{Type::Double()}, std::make_shared<DoubleSum<RetractableDoubleSumState, kAverage>>()};
  return {{Type::Double()}, std::make_shared<DoubleSum<DoubleSumState, kAverage>>()};
}

BoundAggregate BindCount(const AggregateBindArguments& args) {
  std::vector<Type> parameters;
  for (const Type& type : args.types) parameters.push_back(type);
  return {std::move(parameters), std::make_shared<CountFunction>()};
}

BoundAggregate BindSum(const AggregateBindArguments& args) {
  RequireArgumentCount("sum", args, 1, 1);
  const Type type = KnownType(args.types[0]);
  if (type.is_signed_integer()) return {{Type::Int64()}, std::make_shared<IntegerSum<int64_t>>()};
  if (type.is_unsigned_integer()) return {{Type::UInt64()}, std::make_shared<IntegerSum<uint64_t>>()};
  if (type.id() == TypeId::kDecimal) return {{type}, std::make_shared<DecimalSum>(type.scale())};
  RequireNumber("sum", type);
  return BindDoubleSum<false>(args.retractable);
}

BoundAggregate BindAverage(const AggregateBindArguments& args) {
  RequireArgumentCount("avg", args, 1, 1);
  const Type type = KnownType(args.types[0]);
  if (type.is_signed_integer()) return {{Type::Int64()}, std::make_shared<IntegerAverage<int64_t>>()};
  if (type.is_unsigned_integer()) return {{Type::UInt64()}, std::make_shared<IntegerAverage<uint64_t>>()};
  if (type.id() == TypeId::kDecimal)
    return {{type}, std::make_shared<DecimalAverage>(type.precision(), type.scale())};
  RequireNumber("avg", type);
  return BindDoubleSum<true>(args.retractable);
}

}  // namespace

void AddCountSumAvg(AggregateDefinitionList* out) {
  out->push_back({.names = {"count"},
                  .doc = {"Aggregate", "count(*) → bigint, count(x, …) → bigint",
                          "Number of rows, or of rows where no argument is NULL; 0 when there are none.",
                          "count(x)", "3"},
                  .takes_distinct = true,
                  .takes_order_by = false,
                  .bind = BindCount});
  out->push_back({.names = {"regr_count"},
                  .doc = {"Statistics", "regr_count(y, x) → bigint", "Number of pairs without a NULL.",
                          "regr_count(x, NULLIF(x, 2))", "2"},
                  .takes_distinct = false,
                  .takes_order_by = false,
                  .bind = [](const AggregateBindArguments& args) {
                    RequireArgumentCount("regr_count", args, 2, 2);
                    return BindCount(args);
                  }});
  out->push_back(
      {.names = {"sum"},
       .doc = {"Aggregate", "sum(number) → bigint | decimal | double",
               "Sum of the non-NULL values: BIGINT for integers (BIGINT UNSIGNED for unsigned ones), "
               "DECIMAL(38,s) for DECIMAL, else DOUBLE. Out of range is an error; NULL without values.",
               "sum(x)", "6"},
       .takes_distinct = true,
       .takes_order_by = false,
       .bind = BindSum});
  out->push_back(
      {.names = {"avg", "mean"},
       .doc = {"Aggregate", "avg(number) → double | decimal",
               "Mean of the non-NULL values; for DECIMAL a DECIMAL with four more digits behind the point. "
               "NULL without values.",
               "avg(x)", "2.0"},
       .takes_distinct = true,
       .takes_order_by = false,
       .bind = BindAverage});
}

}  // namespace laminar
