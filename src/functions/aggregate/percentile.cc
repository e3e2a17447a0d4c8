/// MEDIAN, PERCENTILE_CONT, PERCENTILE_DISC and MODE: exact, so all values are kept. Over append-only input
/// in a plain vector, selected from when asked; under retraction (and for MODE) in a multiset.

#include "functions/aggregate/percentile.h"

#include <arrow/scalar.h>

#include <algorithm>
#include <cmath>

#include "base/arrow_result.h"
#include "base/error.h"
#include "functions/aggregate/accumulate.h"
#include "functions/aggregate/column_values.h"
#include "functions/aggregate/definitions.h"
#include "functions/aggregate/value_counts.h"

namespace laminar {
namespace {

/// Values in order of arrival, each as often as its weight.
template <typename T>
class ValueList {
 public:
  void Add(const T& value, int64_t weight) {
    for (int64_t i = 0; i < weight; ++i) values_.emplace_back(value);
  }
  void Add(const ValueList& other) {
    values_.insert(values_.end(), other.values_.begin(), other.values_.end());
  }
  const std::vector<StoredValue<T>>& values() const { return values_; }

  void Serialize(std::string* out) const {
    for (const StoredValue<T>& value : values_) {
      if constexpr (std::is_same_v<T, std::string_view>) {
        PutBytes(out, value);
      } else {
        PutFixed(out, value);
      }
    }
  }
  void Deserialize(ByteReader& in) {
    while (!in.empty()) {
      if constexpr (std::is_same_v<T, std::string_view>) {
        values_.emplace_back(in.Bytes());
      } else {
        values_.push_back(in.Fixed<T>());
      }
    }
  }

 private:
  std::vector<StoredValue<T>> values_;
};

/// Values at given ranks of a group, whichever way they are kept.
template <typename T>
class RankedList {
 public:
  explicit RankedList(const ValueList<T>& list) : values_(list.values()) {}
  int64_t size() const { return static_cast<int64_t>(values_.size()); }
  const StoredValue<T>& At(int64_t rank) {
    std::nth_element(values_.begin(), values_.begin() + rank, values_.end(), ValueOrder{});
    return values_[static_cast<size_t>(rank)];
  }

 private:
  std::vector<StoredValue<T>> values_;  // a copy: selecting reorders
};

template <typename T>
class RankedCounts {
 public:
  explicit RankedCounts(const ValueCounts<T>& counts) : counts_(counts) {
    for (const auto& [value, count] : counts.counts()) size_ += std::max<int64_t>(count, 0);
  }
  int64_t size() const { return size_; }
  const StoredValue<T>& At(int64_t rank) { return *counts_.AtRank(rank); }

 private:
  const ValueCounts<T>& counts_;
  int64_t size_ = 0;
};

double Halfway(double a, double b, double fraction) {
  if (fraction == 0 || a == b) return a;
  return a * (1 - fraction) +
         b * fraction;  // not a + (b − a) · f, which overflows and makes NaN of infinities
}
template <typename T>
T Halfway(const T& a, const T& b, double) {
  return static_cast<T>((static_cast<__int128>(a) + static_cast<__int128>(b)) / 2);
}
StoredInt128 Halfway(const StoredInt128& a, const StoredInt128& b, double) { return (a.get() + b.get()) / 2; }

/// Continuous: between the two values around position p · (n − 1). T's other than double only know the middle
/// (p = ½).
template <typename T, typename Ranked>
T Continuous(Ranked ranked, double p) {
  const double position = p * static_cast<double>(ranked.size() - 1);
  const auto below = static_cast<int64_t>(std::floor(position));
  const double fraction = position - static_cast<double>(below);
  const T low = ranked.At(below);
  if (fraction == 0) return low;
  return Halfway(low, T(ranked.At(below + 1)), fraction);
}

/// Discrete: the first value whose cumulative share is at least p.
template <typename Ranked>
int64_t DiscreteRank(const Ranked& ranked, const PercentileSpec& spec) {
  const auto n = static_cast<double>(ranked.size());
  const auto rank =
      std::clamp<int64_t>(static_cast<int64_t>(std::ceil(spec.p * n)) - 1, 0, ranked.size() - 1);
  return spec.descending ? ranked.size() - 1 - rank : rank;
}

template <typename T>
class ListPercentile final : public OwningAggregate<ValueList<T>> {
 public:
  ListPercentile(Type result, PercentileSpec spec)
      : OwningAggregate<ValueList<T>>(std::move(result)), spec_(spec) {}

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    const arrow::Array& column = *input.args[spec_.column];
    if (column.null_count() == column.length()) return;
    const ColumnValues<T> values(column);
    const ValidRows valid(column);
    for (int64_t i = 0; i < input.count; ++i) {
      const int64_t row = input.row(i);
      if (valid[row]) this->GetOrMake(states[i]).Add(values[row], input.weight(i));
    }
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) {
      if (const auto* other = this->Find(from[i])) this->GetOrMake(into[i]).Add(*other);
    }
  }
  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override;

 private:
  PercentileSpec spec_;
};

template <typename T>
class CountsPercentile final : public ValueCountsAggregate<T> {
 public:
  CountsPercentile(Type result, PercentileSpec spec)
      : ValueCountsAggregate<T>(std::move(result), spec.column), spec_(spec) {}
  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override;

 private:
  PercentileSpec spec_;
};

template <typename T, typename Ranked, typename Find>
std::shared_ptr<arrow::Array> FinishPercentile(const Type& type, const PercentileSpec& spec, int64_t count,
                                               Find find) {
  ResultValues<T> out(count);
  std::vector<StoredValue<T>> kept(static_cast<size_t>(count));  // what views in `out` point to
  for (int64_t i = 0; i < count; ++i) {
    const auto* values = find(i);
    if (!values) continue;
    Ranked ranked(*values);
    if (ranked.size() == 0) continue;
    StoredValue<T>& value = kept[static_cast<size_t>(i)];
    if constexpr (std::is_same_v<T, std::string_view>) {
      value = ranked.At(DiscreteRank(ranked, spec));
    } else if (spec.continuous) {
      value = Continuous<T>(std::move(ranked), spec.descending ? 1 - spec.p : spec.p);
    } else {
      value = ranked.At(DiscreteRank(ranked, spec));
    }
    out.Set(i, value);
  }
  return out.ToArray(type);
}

template <typename T>
std::shared_ptr<arrow::Array> ListPercentile<T>::Finish(const uint8_t* const* states, int64_t count) const {
  return FinishPercentile<T, RankedList<T>>(this->result(), spec_, count,
                                            [&](int64_t i) { return this->Find(states[i]); });
}

template <typename T>
std::shared_ptr<arrow::Array> CountsPercentile<T>::Finish(const uint8_t* const* states, int64_t count) const {
  return FinishPercentile<T, RankedCounts<T>>(this->result(), spec_, count,
                                              [&](int64_t i) { return this->Find(states[i]); });
}

template <typename T>
std::shared_ptr<const AggregateFunction> MakePercentileOf(const Type& result, const PercentileSpec& spec,
                                                          bool retractable) {
  if (retractable) return std::make_shared<CountsPercentile<T>>(result, spec);
  return std::make_shared<ListPercentile<T>>(result, spec);
}

/// The most frequent value; the least of several.
template <typename T>
class Mode final : public ValueCountsAggregate<T> {
 public:
  Mode(Type result, size_t column) : ValueCountsAggregate<T>(std::move(result), column) {}

  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<T> out(count);
    for (int64_t i = 0; i < count; ++i) {
      const ValueCounts<T>* values = this->Find(states[i]);
      if (!values) continue;
      int64_t most = 0;
      for (const auto& [value, times] : values->counts()) {
        if (times <= most) continue;
        most = times;
        out.Set(i, value);
      }
    }
    return out.ToArray(this->result());
  }
};

BoundAggregate BindMedian(const AggregateBindArguments& args) {
  RequireArgumentCount("median", args, 1, 1);
  const Type type = KnownType(args.types[0]);
  if (!type.is_numeric() && !type.is_temporal()) ThrowArgumentType("median", "numbers, dates or times", type);
  return {{type}, MakePercentile(type, {.p = 0.5, .continuous = true}, args.retractable)};
}

BoundAggregate BindPercentile(const char* name, bool continuous, const AggregateBindArguments& args) {
  const PercentileCall call = ReadPercentileCall(name, args, 1);
  PercentileSpec spec{
      .p = call.p, .continuous = continuous, .descending = call.descending, .column = call.value_column};
  if (continuous) {
    if (!call.value_type.is_numeric()) ThrowArgumentType(name, "numbers", call.value_type);
    return {call.parameters, MakePercentile(Type::Double(), spec, args.retractable)};
  }
  if (ValueKindOf(call.value_type) == ValueKind::kOther) {
    ThrowArgumentType(name, "numbers, text, dates or times", call.value_type);
  }
  return {call.parameters, MakePercentile(call.value_type, spec, args.retractable)};
}

BoundAggregate BindMode(const AggregateBindArguments& args) {
  const bool within_group =
      args.types.empty() && args.order_types.size() == 1;  // MODE() WITHIN GROUP (ORDER BY x)
  if (!within_group) RequireArgumentCount("mode", args, 1, 1);
  const Type type = KnownType(within_group ? args.order_types[0] : args.types[0]);
  std::vector<Type> parameters;
  if (!within_group) parameters.push_back(type);
  switch (ValueKindOf(type)) {
    case ValueKind::kInt64:
      return {parameters, std::make_shared<Mode<int64_t>>(type, 0)};
    case ValueKind::kUInt64:
      return {parameters, std::make_shared<Mode<uint64_t>>(type, 0)};
    case ValueKind::kDouble:
      return {parameters, std::make_shared<Mode<double>>(type, 0)};
    case ValueKind::kDecimal:
      return {parameters, std::make_shared<Mode<StoredInt128>>(type, 0)};
    case ValueKind::kBytes:
      return {parameters, std::make_shared<Mode<std::string_view>>(type, 0)};
    case ValueKind::kOther:
      break;
  }
  ThrowArgumentType("mode", "a number, text, date or time", type);
}

double ReadFraction(const char* name, const AggregateBindArguments& args, size_t index) {
  const auto& constant = args.constants[index];
  if (!constant || !constant->is_valid || !args.types[index].is_numeric()) {
    throw UserError(Reason::kTypeError, {}, std::string(name) + " takes a constant fraction from 0 to 1");
  }
  const auto value =
      std::static_pointer_cast<arrow::DoubleScalar>(OrThrow(constant->CastTo(arrow::float64()), name));
  if (!(value->value >= 0 && value->value <= 1)) {
    throw UserError(Reason::kTypeError, {},
                    std::string(name) + " takes a fraction from 0 to 1, not " + constant->ToString());
  }
  return value->value;
}

}  // namespace

PercentileCall ReadPercentileCall(const char* name, const AggregateBindArguments& args,
                                  size_t most_after_value) {
  PercentileCall call;
  const bool within_group = !args.order_types.empty();
  if (args.order_types.size() > 1) {
    throw UserError(Reason::kTypeError, {}, std::string(name) + " orders by one expression");
  }
  const size_t before = within_group ? 0 : 1;
  RequireArgumentCount(name, args, before + 1, before + most_after_value);
  call.value_type = within_group ? args.order_types[0] : args.types[0];
  call.value_column = within_group ? args.types.size() : 0;
  call.descending = within_group && args.order[0].descending;
  call.p = ReadFraction(name, args, before);
  call.parameters = args.types;
  return call;
}

std::shared_ptr<const AggregateFunction> MakePercentile(const Type& result, const PercentileSpec& spec,
                                                        bool retractable) {
  switch (ValueKindOf(result)) {
    case ValueKind::kInt64:
      return MakePercentileOf<int64_t>(result, spec, retractable);
    case ValueKind::kUInt64:
      return MakePercentileOf<uint64_t>(result, spec, retractable);
    case ValueKind::kDouble:
      return MakePercentileOf<double>(result, spec, retractable);
    case ValueKind::kDecimal:
      return MakePercentileOf<StoredInt128>(result, spec, retractable);
    case ValueKind::kBytes:
      return MakePercentileOf<std::string_view>(result, spec, retractable);
    case ValueKind::kOther:
      break;
  }
  LAMINAR_CHECK(false, "percentile of " + result.ToString());
  return nullptr;
}

void AddPercentile(AggregateDefinitionList* out) {
  out->push_back({.names = {"median"},
                  .doc = {"Statistics", "median(x) → type of x",
                          "The middle value, or the mean of the two in the middle (rounded towards zero for "
                          "integers). NULL "
                          "without values.",
                          "median(x)", "2"},
                  .takes_distinct = true,
                  .takes_order_by = false,
                  .bind = BindMedian});
  out->push_back(
      {.names = {"percentile_cont"},
       .doc =
           {"Statistics", "percentile_cont(p) WITHIN GROUP (ORDER BY x) → double",
            "The value below which a share p (a constant from 0 to 1) of the values lies, interpolated. NULL "
            "without values.",
            "percentile_cont(0.25) WITHIN GROUP (ORDER BY x)", "1.5"},
       .takes_distinct = false,
       .takes_order_by = true,
       .bind = [](const AggregateBindArguments& args) {
         return BindPercentile("percentile_cont", true, args);
       }});
  out->push_back(
      {.names = {"percentile_disc"},
       .doc =
           {"Statistics", "percentile_disc(p) WITHIN GROUP (ORDER BY x) → type of x",
            "The first value by which at least a share p (a constant from 0 to 1) of the values is reached. "
            "NULL without values.",
            "percentile_disc(0.25) WITHIN GROUP (ORDER BY x)", "1"},
       .takes_distinct = false,
       .takes_order_by = true,
       .bind = [](const AggregateBindArguments& args) {
         return BindPercentile("percentile_disc", false, args);
       }});
  out->push_back({.names = {"mode"},
                  .doc = {"Statistics", "mode(x) → type of x",
                          "The most frequent non-NULL value, the least of several. NULL without values.",
                          "mode(x % 2)", "1"},
                  .takes_distinct = false,
                  .takes_order_by = true,
                  .bind = BindMode});
}

}  // namespace laminar
