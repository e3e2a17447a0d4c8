/// MIN and MAX in SQL order. Over append-only input the best value so far is enough (in place for fixed
/// width, an owned copy for text); under retraction the multiset is kept.

#include "base/error.h"
#include "functions/aggregate/accumulate.h"
#include "functions/aggregate/column_values.h"
#include "functions/aggregate/definitions.h"
#include "functions/aggregate/inline_bytes.h"
#include "functions/aggregate/one_row.h"
#include "functions/aggregate/value_counts.h"

namespace laminar {
namespace {

template <bool kMax, typename T>
bool Better(const T& value, const T& best) {
  return kMax ? ValueOrder{}(best, value) : ValueOrder{}(value, best);
}

template <typename T>
struct ExtremeState {
  T value{};
  int64_t seen = 0;
};

template <typename T, bool kMax>
class PlainExtreme final : public PlainAggregate<ExtremeState<T>> {
 public:
  using State = ExtremeState<T>;
  using PlainAggregate<State>::PlainAggregate;
  std::vector<Field> state_fields() const override { return {{"", this->result()}, {"seen", Type::Int64()}}; }

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    const ColumnValues<T> column(*input.args[0]);
    const T* values = column.data();
    ForEachValidRow<State>(states, input, ValidRows(*input.args[0]),
                           [values](State& state, int64_t row, int64_t) { Offer(state, values[row]); });
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) {
      const State& other = this->At(from, i);
      if (other.seen) Offer(this->At(into, i), other.value);
    }
  }
  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<T> out(count);
    for (int64_t i = 0; i < count; ++i) {
      if (this->At(states, i).seen) out.Set(i, this->At(states, i).value);
    }
    return out.ToArray(this->result());
  }

 private:
  static void Offer(State& state, const T& value) {
    if (!state.seen || Better<kMax>(value, state.value)) {
      state.value = value;
      state.seen = 1;
    }
  }
};

struct BytesState {
  InlineBytes value;
  int64_t seen = 0;
};

template <bool kMax>
class BytesExtreme final : public PlainAggregate<BytesState> {
 public:
  using PlainAggregate::PlainAggregate;

  bool owns_memory() const override { return true; }
  void Destroy(uint8_t* state) const override {
    reinterpret_cast<BytesState*>(state)->value.Free();
    Init(state);
  }
  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    if (input.args[0]->null_count() == input.args[0]->length()) return;
    const ColumnValues<std::string_view> values(*input.args[0]);
    const ValidRows valid(*input.args[0]);
    for (int64_t i = 0; i < input.count; ++i) {
      const int64_t row = input.row(i);
      if (valid[row]) Offer(At(states, i), values[row]);
    }
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) {
      if (At(from, i).seen) Offer(At(into, i), At(from, i).value.view());
    }
  }
  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<std::string_view> out(count);
    for (int64_t i = 0; i < count; ++i) {
      if (At(states, i).seen) out.Set(i, At(states, i).value.view());
    }
    return out.ToArray(result());
  }
  /// One byte that says "seen" and the value; nothing when none was.
  void Serialize(const uint8_t* state, std::string* out) const override {
    const auto* best = reinterpret_cast<const BytesState*>(state);
    if (!best->seen) return;
    out->push_back(1);
    out->append(best->value.view());
  }
  void Deserialize(std::string_view bytes, uint8_t* state) const override {
    Init(state);
    if (!bytes.empty()) Offer(*reinterpret_cast<BytesState*>(state), bytes.substr(1));
  }

 private:
  static void Offer(BytesState& best, std::string_view value) {
    if (best.seen && !Better<kMax>(value, best.value.view())) return;
    best.value.Assign(value);
    best.seen = 1;
  }
};

template <typename T, bool kMax>
class RetractableExtreme final : public ValueCountsAggregate<T> {
 public:
  explicit RetractableExtreme(Type type) : ValueCountsAggregate<T>(std::move(type), 0) {}

  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<T> out(count);
    for (int64_t i = 0; i < count; ++i) {
      const ValueCounts<T>* values = this->Find(states[i]);
      const StoredValue<T>* best = !values ? nullptr : kMax ? values->Greatest() : values->Least();
      if (best) out.Set(i, *best);
    }
    return out.ToArray(this->result());
  }
};

template <typename T, bool kMax>
std::shared_ptr<const AggregateFunction> MakeExtreme(const Type& type, bool retractable) {
  if (retractable) return std::make_shared<RetractableExtreme<T, kMax>>(type);
  if constexpr (std::is_same_v<T, std::string_view>) {
    return std::make_shared<BytesExtreme<kMax>>(type);
  } else {
    return std::make_shared<PlainExtreme<T, kMax>>(type);
  }
}

template <bool kMax>
BoundAggregate BindExtreme(const AggregateBindArguments& args) {
  const char* name = kMax ? "max" : "min";
  RequireArgumentCount(name, args, 1, 1);
  const Type type = KnownType(args.types[0]);
  switch (ValueKindOf(type)) {
    case ValueKind::kInt64:
      return {{type}, MakeExtreme<int64_t, kMax>(type, args.retractable)};
    case ValueKind::kUInt64:
      return {{type}, MakeExtreme<uint64_t, kMax>(type, args.retractable)};
    case ValueKind::kDouble:
      return {{type}, MakeExtreme<double, kMax>(type, args.retractable)};
    case ValueKind::kDecimal:
      return {{type}, MakeExtreme<StoredInt128, kMax>(type, args.retractable)};
    case ValueKind::kBytes:
      return {{type}, MakeExtreme<std::string_view, kMax>(type, args.retractable)};
    case ValueKind::kOther:
      break;
  }
  // Nested types and INTERVAL: the first row by sort order.
  RowColumns columns;
  columns.values = columns.order = columns.not_null = {0};
  columns.sort = {SortColumn{.descending = kMax, .nulls_first = false}};
  return {{type}, MakeOneRow(type, columns, /*last=*/false, args.retractable)};
}

}  // namespace

void AddMinMax(AggregateDefinitionList* out) {
  out->push_back(
      {.names = {"min"},
       .doc = {"Aggregate", "min(x) → type of x",
               "The least non-NULL value: text by bytes, NaN above all numbers. NULL without values.",
               "min(x)", "1"},
       .takes_distinct = true,
       .takes_order_by = false,
       .bind = BindExtreme<false>});
  out->push_back(
      {.names = {"max"},
       .doc = {"Aggregate", "max(x) → type of x",
               "The greatest non-NULL value: text by bytes, NaN above all numbers. NULL without values.",
               "max(x)", "3"},
       .takes_distinct = true,
       .takes_order_by = false,
       .bind = BindExtreme<true>});
}

}  // namespace laminar
