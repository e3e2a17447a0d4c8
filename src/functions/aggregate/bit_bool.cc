/// BIT_AND, BIT_OR, BIT_XOR and BOOL_AND, BOOL_OR. XOR undoes itself; AND and OR under retraction count ones
/// per bit.

#include <array>
#include <optional>

#include "functions/aggregate/accumulate.h"
#include "functions/aggregate/column_values.h"
#include "functions/aggregate/definitions.h"

namespace laminar {
namespace {

enum class BitKind { kAnd, kOr, kXor };

struct BitState {
  uint64_t bits = 0;
  int64_t count = 0;
};

/// Bits of an integer column, sign-extended: narrowing the result again loses nothing.
class BitColumn {
 public:
  BitColumn(const arrow::Array& column, bool is_signed) {
    if (is_signed) {
      bits_ = reinterpret_cast<const uint64_t*>(signed_.emplace(column).data());
    } else {
      bits_ = unsigned_.emplace(column).data();
    }
  }
  const uint64_t* data() const { return bits_; }

 private:
  std::optional<ColumnValues<int64_t>> signed_;
  std::optional<ColumnValues<uint64_t>> unsigned_;
  const uint64_t* bits_;
};

std::shared_ptr<arrow::Array> BitsToArray(const Type& type, const ResultValues<uint64_t>& bits) {
  if (type.is_unsigned_integer()) return bits.ToArray(type);
  ResultValues<int64_t> out(0);
  out.values.assign(bits.values.begin(), bits.values.end());
  out.valid = bits.valid;
  return out.ToArray(type);
}

template <BitKind kKind>
class PlainBits final : public PlainAggregate<BitState> {
 public:
  using PlainAggregate::PlainAggregate;

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    const BitColumn column(*input.args[0], result().is_signed_integer());
    const uint64_t* bits = column.data();
    ForEachValidRow<BitState>(
        states, input, ValidRows(*input.args[0]),
        [bits](BitState& state, int64_t row, int64_t weight) { Combine(state, bits[row], weight); });
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) {
      const BitState& other = At(from, i);
      if (kKind == BitKind::kXor) {
        At(into, i).bits ^= other.bits;
        At(into, i).count += other.count;
      } else if (other.count != 0) {
        Combine(At(into, i), other.bits, other.count);
      }
    }
  }
  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<uint64_t> out(count);
    for (int64_t i = 0; i < count; ++i) {
      if (At(states, i).count != 0) out.Set(i, At(states, i).bits);
    }
    return BitsToArray(result(), out);
  }

 private:
  static void Combine(BitState& state, uint64_t bits, int64_t weight) {
    if constexpr (kKind == BitKind::kAnd) {
      state.bits = state.count == 0 ? bits : state.bits & bits;
    } else if constexpr (kKind == BitKind::kOr) {
      state.bits |= bits;
    } else {
      state.bits ^= weight & 1 ? bits : 0;
    }
    state.count += weight;
  }
};

struct BitCountState {
  int64_t count = 0;
  std::array<int64_t, 64> ones{};
};

/// AND: all rows have the bit. OR: some row has it.
template <BitKind kKind>
class RetractableBits final : public PlainAggregate<BitCountState> {
 public:
  using PlainAggregate::PlainAggregate;

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    const BitColumn column(*input.args[0], result().is_signed_integer());
    const ValidRows valid(*input.args[0]);
    for (int64_t i = 0; i < input.count; ++i) {
      const int64_t row = input.row(i);
      if (!valid[row]) continue;
      BitCountState& state = At(states, i);
      const int64_t weight = input.weight(i);
      state.count += weight;
      for (uint64_t rest = column.data()[row]; rest != 0; rest &= rest - 1) {
        state.ones[static_cast<size_t>(__builtin_ctzll(rest))] += weight;
      }
    }
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) {
      At(into, i).count += At(from, i).count;
      for (size_t bit = 0; bit < 64; ++bit) At(into, i).ones[bit] += At(from, i).ones[bit];
    }
  }
  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<uint64_t> out(count);
    for (int64_t i = 0; i < count; ++i) {
      const BitCountState& state = At(states, i);
      if (state.count == 0) continue;
      uint64_t bits = 0;
      for (size_t bit = 0; bit < 64; ++bit) {
        const bool set = kKind == BitKind::kAnd ? state.ones[bit] == state.count : state.ones[bit] > 0;
        bits |= uint64_t{set} << bit;
      }
      out.Set(i, bits);
    }
    return BitsToArray(result(), out);
  }
};

struct BoolState {
  int64_t trues = 0;
  int64_t falses = 0;
};

class BoolFunction final : public PlainAggregate<BoolState> {
 public:
  explicit BoolFunction(bool is_and) : PlainAggregate(Type::Boolean()), is_and_(is_and) {}

  void Update(uint8_t* const* states, const AggregateInput& input) const override {
    const ColumnValues<int64_t> column(*input.args[0]);
    const int64_t* values = column.data();
    ForEachValidRow<BoolState>(states, input, ValidRows(*input.args[0]),
                               [values](BoolState& state, int64_t row, int64_t weight) {
                                 (values[row] ? state.trues : state.falses) += weight;
                               });
  }
  void Merge(uint8_t* const* into, const uint8_t* const* from, int64_t count) const override {
    for (int64_t i = 0; i < count; ++i) {
      At(into, i).trues += At(from, i).trues;
      At(into, i).falses += At(from, i).falses;
    }
  }
  std::shared_ptr<arrow::Array> Finish(const uint8_t* const* states, int64_t count) const override {
    ResultValues<int64_t> out(count);
    for (int64_t i = 0; i < count; ++i) {
      const BoolState& state = At(states, i);
      if (state.trues + state.falses == 0) continue;
      out.Set(i, is_and_ ? state.falses == 0 : state.trues != 0);
    }
    return out.ToArray(result());
  }

 private:
  bool is_and_;
};

template <BitKind kKind>
BoundAggregate BindBits(const char* name, const AggregateBindArguments& args) {
  RequireArgumentCount(name, args, 1, 1);
  const Type type = KnownType(args.types[0]);
  if (!type.is_integer()) ThrowArgumentType(name, "an integer", type);
  if constexpr (kKind != BitKind::kXor) {
    if (args.retractable) return {{type}, std::make_shared<RetractableBits<kKind>>(type)};
  }
  return {{type}, std::make_shared<PlainBits<kKind>>(type)};
}

BoundAggregate BindBool(const char* name, bool is_and, const AggregateBindArguments& args) {
  RequireArgumentCount(name, args, 1, 1);
  const Type& type = args.types[0];
  if (type.id() != TypeId::kBoolean && !type.is_null()) ThrowArgumentType(name, "a BOOLEAN", type);
  return {{Type::Boolean()}, std::make_shared<BoolFunction>(is_and)};
}

template <BitKind kKind>
AggregateDefinition BitDefinition(const char* name, std::string description, std::string example,
                                  std::string result) {
  return {.names = {name},
          .doc = {"Aggregate", std::string(name) + "(integer) → type of the argument",
                  std::move(description) + " NULL without values.", std::move(example), std::move(result)},
          .takes_distinct = true,
          .takes_order_by = false,
          .bind = [name](const AggregateBindArguments& args) { return BindBits<kKind>(name, args); }};
}

AggregateDefinition BoolDefinition(const char* name, const char* alias, bool is_and, std::string description,
                                   std::string example, std::string result) {
  return {
      .names = {name, alias},
      .doc = {"Aggregate", std::string(name) + "(boolean) → boolean",
              std::move(description) + " NULL without values.", std::move(example), std::move(result)},
      .takes_distinct = true,
      .takes_order_by = false,
      .bind = [name, is_and](const AggregateBindArguments& args) { return BindBool(name, is_and, args); }};
}

}  // namespace

void AddBitBool(AggregateDefinitionList* out) {
  out->push_back(
      BitDefinition<BitKind::kAnd>("bit_and", "Bits that all non-NULL values have.", "bit_and(x)", "0"));
  out->push_back(BitDefinition<BitKind::kOr>("bit_or", "Bits that some value has.", "bit_or(x)", "3"));
  out->push_back(
      BitDefinition<BitKind::kXor>("bit_xor", "Bits that an odd number of values have.", "bit_xor(x)", "0"));
  out->push_back(BoolDefinition("bool_and", "every", true, "Whether all non-NULL values are true.",
                                "bool_and(x > 1)", "false"));
  out->push_back(
      BoolDefinition("bool_or", "some", false, "Whether some value is true.", "bool_or(x > 1)", "true"));
}

}  // namespace laminar
