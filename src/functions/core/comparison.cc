/// Comparisons. There are two loops per memory form, equal and less: a > b is b < a, and the other three are
/// negations, which the total order of value_compare.h allows (NaN is equal to NaN and greater than all else,
/// as in PostgreSQL).

#include "functions/core/comparison.h"

#include <arrow/util/bitmap_ops.h>

#include "base/error.h"
#include "functions/comparable_types.h"
#include "functions/elementwise.h"
#include "functions/value_compare.h"

namespace laminar {

namespace {

using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;

struct Equal {
  template <typename T>
  bool operator()(const T& a, const T& b) const {
    if constexpr (std::is_floating_point_v<T>) {
      return EqualReal(a, b);
    } else if constexpr (std::is_same_v<T, MonthDayNanos>) {
      return IntervalLength(a) == IntervalLength(b);
    } else {
      return a == b;
    }
  }
};

struct Less {
  template <typename T>
  bool operator()(const T& a, const T& b) const {
    if constexpr (std::is_floating_point_v<T>) {
      return LessReal(a, b);
    } else if constexpr (std::is_same_v<T, MonthDayNanos>) {
      return IntervalLength(a) < IntervalLength(b);
    } else {
      return a < b;
    }
  }
};

/// Eight bytes of 0 or 1 to eight bits, the first lowest.
uint8_t PackByte(const uint8_t* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, 8);
  return static_cast<uint8_t>((word * 0x0102040810204080ULL) >> 56);
}

/// Bit i of `out` is predicate(i). Blocks of 64 keep the inner loop free of branches and wide.
template <typename Predicate>
void PackBits(int64_t rows, uint8_t* out, Predicate predicate) {
  int64_t row = 0;
  for (; row + 64 <= rows; row += 64) {
    uint8_t bytes[64];
    for (int i = 0; i < 64; ++i) bytes[i] = predicate(row + i);
    for (int i = 0; i < 8; ++i) out[(row >> 3) + i] = PackByte(bytes + 8 * i);
  }
  for (; row < rows; row += 8) {
    uint8_t bytes[8] = {};
    for (int64_t i = 0; i < std::min<int64_t>(8, rows - row); ++i) bytes[i] = predicate(row + i);
    out[row >> 3] = PackByte(bytes);
  }
}

template <typename T>
inline constexpr bool kHasValues =
    !std::is_same_v<T, bool> && !std::is_same_v<T, std::string_view> && !std::is_same_v<T, arrow::Decimal128>;

template <typename T, typename Op>
void CompareColumns(const arrow::Datum& left, const arrow::Datum& right, int64_t rows, uint8_t* out) {
  const ColumnReader<T> a(left);
  const ColumnReader<T> b(right);
  const Op op;
  if constexpr (kHasValues<T>) {
    const T* x = a.values();
    const T* y = b.values();
    if (b.is_constant()) {
      const T constant = rows > 0 ? y[0] : T{};
      PackBits(rows, out, [=](int64_t i) { return op(x[i], constant); });
    } else if (a.is_constant()) {
      const T constant = rows > 0 ? x[0] : T{};
      PackBits(rows, out, [=](int64_t i) { return op(constant, y[i]); });
    } else {
      PackBits(rows, out, [=](int64_t i) { return op(x[i], y[i]); });
    }
  } else {
    PackBits(rows, out, [&](int64_t i) { return op(a[i], b[i]); });
  }
}

using CompareFunction = void (*)(const arrow::Datum&, const arrow::Datum&, int64_t, uint8_t*);

template <typename T>
CompareFunction Pick(bool equal) {
  return equal ? CompareColumns<T, Equal> : CompareColumns<T, Less>;
}

/// Null pointer: nested, compared by MakeRowCompare.
CompareFunction FindCompare(const Type& type, bool equal) {
  switch (type.id()) {
    case TypeId::kBoolean:
      return Pick<bool>(equal);
    case TypeId::kInt8:
      return Pick<int8_t>(equal);
    case TypeId::kInt16:
      return Pick<int16_t>(equal);
    case TypeId::kInt32:
    case TypeId::kDate:
      return Pick<int32_t>(equal);
    case TypeId::kInt64:
    case TypeId::kTime:
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return Pick<int64_t>(equal);
    case TypeId::kUInt8:
      return Pick<uint8_t>(equal);
    case TypeId::kUInt16:
      return Pick<uint16_t>(equal);
    case TypeId::kUInt32:
      return Pick<uint32_t>(equal);
    case TypeId::kUInt64:
      return Pick<uint64_t>(equal);
    case TypeId::kFloat:
      return Pick<float>(equal);
    case TypeId::kDouble:
      return Pick<double>(equal);
    case TypeId::kDecimal:
      return Pick<arrow::Decimal128>(equal);
    case TypeId::kText:
    case TypeId::kJson:
    case TypeId::kBytes:
      return Pick<std::string_view>(equal);
    case TypeId::kInterval:
      return Pick<MonthDayNanos>(equal);
    default:
      return nullptr;
  }
}

void CompareNested(const arrow::Datum& left, const arrow::Datum& right, const CallShape& shape,
                   const Type& type, bool equal, uint8_t* out) {
  const RowCompare compare = MakeRowCompare(ColumnView(left), ColumnView(right), type);
  for (int64_t row = 0; row < shape.rows; ++row) {
    if (!shape.IsValid(row)) continue;
    const int order = compare(row, row);
    arrow::bit_util::SetBitTo(out, row, equal ? order == 0 : order < 0);
  }
}

/// Bits of the comparison, whatever the validity.
std::shared_ptr<arrow::Buffer> ComparisonBits(Comparison comparison, const Type& type,
                                              const arrow::Datum& left, const arrow::Datum& right,
                                              const CallShape& shape) {
  const bool equal = comparison == Comparison::kEqual || comparison == Comparison::kNotEqual;
  const bool swap = comparison == Comparison::kGreater || comparison == Comparison::kLessEqual;
  const bool negate = comparison == Comparison::kNotEqual || comparison == Comparison::kLessEqual ||
                      comparison == Comparison::kGreaterEqual;
  auto bits = AllocateBits(shape.rows, false);
  const arrow::Datum& a = swap ? right : left;
  const arrow::Datum& b = swap ? left : right;
  if (CompareFunction compare = FindCompare(type, equal)) {
    compare(a, b, shape.rows, bits->mutable_data());
  } else {
    CompareNested(a, b, shape, type, equal, bits->mutable_data());
  }
  if (negate) {
    for (int64_t i = 0; i < bits->size(); ++i) bits->mutable_data()[i] ^= 0xFF;
  }
  return bits;
}

/// NULL equals NULL, and nothing else. `differ`: IS DISTINCT FROM.
arrow::Result<arrow::Datum> CompareDistinct(const ScalarCall& call, const Type& type, bool differ) {
  CallShape shape;
  shape.constant = call.args[0].is_scalar() && call.args[1].is_scalar();
  shape.rows = shape.constant ? 1 : call.num_rows;
  const ColumnView a(call.args[0]);
  const ColumnView b(call.args[1]);
  CallShape valid_rows = ShapeOf(call);
  auto bits = AllocateBits(shape.rows, false);
  if (!valid_rows.all_null)
    bits = ComparisonBits(Comparison::kEqual, type, call.args[0], call.args[1], valid_rows);
  uint8_t* out = bits->mutable_data();
  if (a.may_have_nulls() || b.may_have_nulls()) {
    for (int64_t row = 0; row < shape.rows; ++row) {
      const bool a_null = a.IsNull(row);
      const bool b_null = b.IsNull(row);
      if (a_null || b_null) arrow::bit_util::SetBitTo(out, row, a_null && b_null);
    }
  }
  if (differ) {
    for (int64_t i = 0; i < bits->size(); ++i) out[i] ^= 0xFF;
  }
  return FinishColumn(shape, arrow::boolean(), nullptr, {bits});
}

using KernelMaker = std::function<ScalarKernel(const Type&)>;

/// Two arguments of a comparable type; NULL beside NULL compares as TEXT.
ScalarBinder ComparisonBinder(KernelMaker make_kernel) {
  return [make_kernel](const BindArguments& arguments) -> std::optional<BoundScalar> {
    if (arguments.size() != 2) return std::nullopt;
    auto type = ComparisonType(arguments, 0, 1);
    if (!type) return std::nullopt;
    if (type->is_null()) type = Type::Text();
    return BoundScalar{{*type, *type}, Type::Boolean(), make_kernel(*type)};
  };
}

void Add(FunctionRegistry& registry, const std::string& name, const std::string& description,
         const std::string& example, const std::string& result, KernelMaker make_kernel) {
  ScalarFunction function;
  function.names = {name};
  const bool word = name[0] == 'i';
  function.doc = {"Operators", word ? name + "(a, b) → boolean" : "a " + name + " b → boolean", description,
                  example, result};
  function.overloads = {ComparisonBinder(std::move(make_kernel))};
  registry.Add(std::move(function));
}

}  // namespace

ScalarKernel ComparisonKernel(Comparison comparison, const Type& type) {
  return [comparison, type](const ScalarCall& call) -> arrow::Result<arrow::Datum> {
    const CallShape shape = ShapeOf(call);
    if (shape.all_null) return NullDatum(arrow::boolean());
    auto bits = ComparisonBits(comparison, type, call.args[0], call.args[1], shape);
    return FinishColumn(shape, arrow::boolean(), shape.valid, {std::move(bits)});
  };
}

void RegisterComparison(FunctionRegistry& registry) {
  auto operation = [&](const char* name, Comparison comparison, const char* description, const char* example,
                       const char* result) {
    Add(registry, name, description, example, result,
        [comparison](const Type& type) { return ComparisonKernel(comparison, type); });
  };
  const char* kOrder =
      "Numbers compare by value, text and bytes as bytes; NaN is greater than any other number.";
  operation("=", Comparison::kEqual,
            "Also written ==. NaN equals NaN. Text beside a number or moment is read as one.", "1 = 1.0",
            "true");
  operation("<>", Comparison::kNotEqual, "Also written !=.", "1 <> 2", "true");
  operation("<", Comparison::kLess, kOrder, "1 < 2", "true");
  operation("<=", Comparison::kLessEqual, kOrder, "'a' <= 'B'", "false");
  operation(">", Comparison::kGreater, kOrder, "DATE '2024-01-02' > '2024-01-01'", "true");
  operation(">=", Comparison::kGreaterEqual, kOrder, "2 >= 2", "true");
  Add(registry, "is_distinct_from", "a IS DISTINCT FROM b: <> where NULL equals NULL; never NULL.",
      "NULL IS DISTINCT FROM 1", "true", [](const Type& type) -> ScalarKernel {
        return [type](const ScalarCall& call) { return CompareDistinct(call, type, true); };
      });
  Add(registry, "is_not_distinct_from",
      "a IS NOT DISTINCT FROM b, also a <=> b: = where NULL equals NULL; never NULL.", "NULL <=> NULL",
      "true", [](const Type& type) -> ScalarKernel {
        return [type](const ScalarCall& call) { return CompareDistinct(call, type, false); };
      });
}

}  // namespace laminar
