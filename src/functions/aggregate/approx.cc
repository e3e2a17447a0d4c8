/// APPROX_DISTINCT (HyperLogLog) and APPROX_PERCENTILE_CONT, APPROX_MEDIAN (t-digest). A sketch cannot
/// forget: under retraction the exact answer is kept instead.

#include <arrow/scalar.h>

#include <unordered_map>

#include "base/arrow_result.h"
#include "base/error.h"
#include "functions/aggregate/accumulate.h"
#include "functions/aggregate/column_values.h"
#include "functions/aggregate/definitions.h"
#include "functions/aggregate/hyper_log_log.h"
#include "functions/aggregate/percentile.h"
#include "functions/aggregate/t_digest.h"
#include "types/row_codec.h"

namespace laminar {
namespace {

/// Calls add(entry, hash) for each entry whose value is not NULL.
template <typename Add>
void ForEachHash(const AggregateInput& input, Add add) {
  const auto& column = input.args[0];
  std::vector<uint64_t> hashes(static_cast<size_t>(column->length()));
  HashRows({column}, column->length(), hashes.data());
  const ValidRows valid(*column);
  for (int64_t i = 0; i < input.count; ++i) {
    const int64_t row = input.row(i);
    if (valid[row]) add(i, hashes[static_cast<size_t>(row)]);
  }
}

class ApproxDistinct final : public OwningAggregate<HyperLogLog> {
 public:
  ApproxDistinct() : OwningAggregate(Type::UInt64()) {}

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    ForEachHash(input, [&](int64_t i, uint64_t hash) { GetOrMake(states[i]).Add(hash); });
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) {
      if (const HyperLogLog* other = Find(from[i])) GetOrMake(into[i]).Add(*other);
    }
  }
  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<uint64_t> out(count);
    for (int64_t i = 0; i < count; ++i) {
      const HyperLogLog* sketch = Find(states[i]);
      out.Set(i, sketch ? sketch->Estimate() : 0);
    }
    return out.ToArray(result());
  }
};

/// Multiplicities by hash.
class HashCounts {
 public:
  void Add(uint64_t hash, int64_t weight) {
    auto [at, fresh] = counts_.try_emplace(hash, weight);
    if (!fresh && (at->second += weight) == 0) counts_.erase(at);
  }
  void Add(const HashCounts& other) {
    for (const auto& [hash, count] : other.counts_) Add(hash, count);
  }
  uint64_t CountPresent() const {
    uint64_t present = 0;
    for (const auto& [hash, count] : counts_) present += count > 0;
    return present;
  }
  void Serialize(std::string* out) const {
    for (const auto& [hash, count] : counts_) {
      PutFixed(out, hash);
      PutFixed(out, count);
    }
  }
  void Deserialize(ByteReader& in) {
    while (!in.empty()) {
      const auto hash = in.Fixed<uint64_t>();
      counts_[hash] = in.Fixed<int64_t>();
    }
  }

 private:
  std::unordered_map<uint64_t, int64_t> counts_;
};

class RetractableDistinct final : public OwningAggregate<HashCounts> {
 public:
  RetractableDistinct() : OwningAggregate(Type::UInt64()) {}

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    ForEachHash(input, [&](int64_t i, uint64_t hash) { GetOrMake(states[i]).Add(hash, input.weight(i)); });
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) {
      if (const HashCounts* other = Find(from[i])) GetOrMake(into[i]).Add(*other);
    }
  }
  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<uint64_t> out(count);
    for (int64_t i = 0; i < count; ++i) {
      const HashCounts* counts = Find(states[i]);
      out.Set(i, counts ? counts->CountPresent() : 0);
    }
    return out.ToArray(result());
  }
};

struct DigestSpec {
  double p = 0.5;
  double compression = 100;
  size_t value_column = 0;
  int weight_column = -1;  // −1: each value counts once
};

class ApproxPercentile final : public OwningAggregate<TDigest> {
 public:
  explicit ApproxPercentile(DigestSpec spec) : OwningAggregate(Type::Double()), spec_(spec) {}

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    const arrow::Array& value_column = *input.args[spec_.value_column];
    const ColumnValues<double> values(value_column);
    const ValidRows valid(value_column);
    if (spec_.weight_column >= 0) {
      UpdateWeighted(states, input, values, valid);
      return;
    }
    for (int64_t i = 0; i < input.count; ++i) {
      const int64_t row = input.row(i);
      if (valid[row]) GetOrMake(states[i]).Add(values[row], input.weight(i), spec_.compression);
    }
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) {
      if (const TDigest* other = Find(from[i])) GetOrMake(into[i]).Add(*other, spec_.compression);
    }
  }
  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<double> out(count);
    for (int64_t i = 0; i < count; ++i) {
      const TDigest* digest = Find(states[i]);
      if (digest && !digest->empty()) out.Set(i, digest->Quantile(spec_.p, spec_.compression));
    }
    return out.ToArray(result());
  }

 private:
  void UpdateWeighted(uint8_t* const* states, const AggregateInput& input, const ColumnValues<double>& values,
                      const ValidRows& valid) const {
    const arrow::Array& weight_column = *input.args[static_cast<size_t>(spec_.weight_column)];
    const ColumnValues<double> weights(weight_column);
    const ValidRows has_weight(weight_column);
    for (int64_t i = 0; i < input.count; ++i) {
      const int64_t row = input.row(i);
      if (!valid[row] || !has_weight[row]) continue;
      GetOrMake(states[i]).Add(values[row], weights[row] * input.weight(i), spec_.compression);
    }
  }
  DigestSpec spec_;
};

BoundAggregate BindApproxDistinct(const AggregateBindArguments& args) {
  RequireArgumentCount("approx_distinct", args, 1, 1);
  const Type type = KnownType(args.types[0]);
  if (args.retractable) return {{type}, std::make_shared<RetractableDistinct>()};
  return {{type}, std::make_shared<ApproxDistinct>()};
}

double ReadCompression(const AggregateBindArguments& args, size_t index) {
  if (index >= args.types.size()) return 100;
  const auto& constant = args.constants[index];
  if (!constant || !constant->is_valid || !args.types[index].is_numeric()) {
    throw UserError(Reason::kTypeError, {}, "approx_percentile_cont takes a constant number of centroids");
  }
  const auto value =
      std::static_pointer_cast<arrow::DoubleScalar>(OrThrow(constant->CastTo(arrow::float64())));
  if (!(value->value >= 10 && value->value <= 100000)) {
    throw UserError(Reason::kTypeError, {},
                    "approx_percentile_cont takes 10 to 100000 centroids, not " + constant->ToString());
  }
  return value->value;
}

BoundAggregate BindDigest(const PercentileCall& call, DigestSpec spec, bool retractable) {
  spec.p = call.descending ? 1 - call.p : call.p;
  spec.value_column = call.value_column;
  if (retractable) {
    return {
        call.parameters,
        MakePercentile(Type::Double(), {.p = spec.p, .continuous = true, .column = spec.value_column}, true)};
  }
  return {call.parameters, std::make_shared<ApproxPercentile>(spec)};
}

BoundAggregate BindApproxPercentile(const AggregateBindArguments& args) {
  const char* name = "approx_percentile_cont";
  const PercentileCall call = ReadPercentileCall(name, args, 2);
  RequireNumber(name, call.value_type);
  DigestSpec spec;
  spec.compression = ReadCompression(args, args.order_types.empty() ? 2 : 1);
  return BindDigest(call, spec, args.retractable);
}

BoundAggregate BindApproxMedian(const AggregateBindArguments& args) {
  RequireArgumentCount("approx_median", args, 1, 1);
  PercentileCall call;
  call.parameters = {RequireNumber("approx_median", args.types[0])};
  return BindDigest(call, {}, args.retractable);
}

/// f(w, p) WITHIN GROUP (ORDER BY x), or f(x, w, p).
BoundAggregate BindWeightedPercentile(const AggregateBindArguments& args) {
  const char* name = "approx_percentile_cont_with_weight";
  if (args.retractable) {
    throw UserError(Reason::kUnsupported, {}, std::string(name) + " over an updating input")
        .Hint("use approx_percentile_cont, or aggregate before the input becomes updating");
  }
  const size_t weight = args.order_types.empty() ? 1 : 0;
  RequireArgumentCount(name, args, weight + 2, weight + 2);
  AggregateBindArguments without_weight = args;
  without_weight.types.erase(without_weight.types.begin() + static_cast<int64_t>(weight));
  without_weight.constants.erase(without_weight.constants.begin() + static_cast<int64_t>(weight));
  PercentileCall call = ReadPercentileCall(name, without_weight, 1);
  RequireNumber(name, call.value_type);
  call.value_column = args.order_types.empty() ? 0 : args.types.size();
  call.parameters = args.types;
  call.parameters[weight] = RequireNumber(name, args.types[weight]);
  DigestSpec spec;
  spec.weight_column = static_cast<int>(weight);
  return BindDigest(call, spec, false);
}

}  // namespace

void AddApproximate(AggregateDefinitionList* out) {
  out->push_back(
      {.names = {"approx_distinct", "approx_count_distinct"},
       .doc =
           {"Approximate", "approx_distinct(x) → bigint unsigned",
            "About how many different non-NULL values there are: exact for a few hundred, then within about "
            "0.8 % (HyperLogLog). Exact over updating input.",
            "approx_distinct(x % 2)", "2"},
       .takes_distinct = true,
       .takes_order_by = false,
       .bind = BindApproxDistinct});
  out->push_back(
      {.names = {"approx_percentile_cont"},
       .doc =
           {"Approximate", "approx_percentile_cont(p, centroids?) WITHIN GROUP (ORDER BY x) → double",
            "About the value below which a share p (a constant from 0 to 1) of the values lies, in bounded "
            "memory (t-digest, 100 centroids by default); also approx_percentile_cont(x, p). NaN is skipped. "
            "Exact over updating input.",
            "approx_percentile_cont(x, 0.5)", "2.0"},
       .takes_distinct = false,
       .takes_order_by = true,
       .bind = BindApproxPercentile});
  out->push_back({.names = {"approx_median"},
                  .doc = {"Approximate", "approx_median(x) → double", "approx_percentile_cont(x, 0.5).",
                          "approx_median(x)", "2.0"},
                  .takes_distinct = true,
                  .takes_order_by = false,
                  .bind = BindApproxMedian});
  out->push_back(
      {.names = {"approx_percentile_cont_with_weight"},
       .doc =
           {"Approximate", "approx_percentile_cont_with_weight(w, p) WITHIN GROUP (ORDER BY x) → double",
            "As approx_percentile_cont, each value counting w times; rows where w is NULL or not above 0 are "
            "skipped.",
            "approx_percentile_cont_with_weight(1, 0.5) WITHIN GROUP (ORDER BY x)", "2.0"},
       .takes_distinct = false,
       .takes_order_by = true,
       .bind = BindWeightedPercentile});
}

}  // namespace laminar
