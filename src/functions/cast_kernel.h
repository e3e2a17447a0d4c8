#pragma once

/// How casts are put together; the expression is made in cast.cc. One file per family: cast_numeric.cc,
/// cast_text.cc, cast_temporal.cc, cast_json.cc, cast_nested.cc. Include only from .cc files.

#include <fmt/format.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "functions/elementwise.h"
#include "types/type.h"

namespace laminar {

/// Casts a value (Array of [rows], or Scalar). With try_cast a value that does not fit gives NULL, otherwise
/// Invalid.
using CastFunction =
    std::function<arrow::Result<arrow::Datum>(const arrow::Datum& value, int64_t rows, bool try_cast)>;

struct ValueCast {
  CastFunction run;       ///< empty: no such cast
  bool can_fail = false;  ///< some value does not fit
  explicit operator bool() const { return static_cast<bool>(run); }
};

/// The cast between two different types; empty where there is none.
ValueCast FindCast(const Type& from, const Type& to);

/// Families. Each gives an empty cast for what is not its own.
ValueCast FindNumericCast(const Type& from, const Type& to);  ///< BOOLEAN, numbers → BOOLEAN, numbers
ValueCast FindTextCast(const Type& from,
                       const Type& to);  ///< TEXT, BYTEA → scalars; anything but JSON → TEXT, BYTEA
ValueCast FindTemporalCast(const Type& from, const Type& to);  ///< moments ⇄ moments and BIGINT
ValueCast FindJsonCast(const Type& from, const Type& to);      ///< JSON → anything; anything → JSON
ValueCast FindNestedCast(const Type& from,
                         const Type& to);  ///< element-wise; NULL type → anything; TEXT → nested as JSON

/// The value as an error shows it: text in quotes, numbers plain.
template <typename T>
std::string ShownValue(const T& value) {
  if constexpr (std::is_convertible_v<T, std::string_view>) {
    constexpr size_t kShown = 60;
    const std::string_view text = value;
    if (text.size() <= kShown) return fmt::format("'{}'", text);
    size_t end = kShown;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
      --end;  // not inside a character
    return fmt::format("'{}…'", text.substr(0, end));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return fmt::format("{}", value);
  } else {
    return "value";
  }
}

inline std::string CannotCast(const std::string& shown, const Type& to) {
  return "cannot cast " + shown + " to " + to.ToString();
}

/// `convert`: In → std::optional of the memory form of `to`; nullopt: it does not fit.
template <typename In, typename Convert>
arrow::Result<arrow::Datum> MapCast(const arrow::Datum& value, int64_t rows, bool try_cast, const Type& to,
                                    Convert convert) {
  const std::vector<arrow::Datum> args = {value};
  const EvalContext context;
  return Map<In>({args, rows, context}, to.arrow_type(), [&](In in, BatchError& error) {
    auto out = convert(in);
    if (!out && !try_cast) error.Fail([&] { return CannotCast(ShownValue(in), to); });
    return out;
  });
}

/// A cast of one row to one row that may fail.
template <typename In, typename Convert>
ValueCast FallibleCast(const Type& to, Convert convert) {
  return {[to, convert](const arrow::Datum& value, int64_t rows, bool try_cast) {
            return MapCast<In>(value, rows, try_cast, to, convert);
          },
          true};
}

/// A cast of one row to one row that cannot.
template <typename In, typename Convert>
ValueCast TotalCast(const Type& to, Convert convert) {
  return {[to, convert](const arrow::Datum& value, int64_t rows, bool) {
            const std::vector<arrow::Datum> args = {value};
            const EvalContext context;
            return Map<In>({args, rows, context}, to.arrow_type(), convert);
          },
          false};
}

/// The same memory under another type.
ValueCast ReinterpretCast(const Type& to);
/// First one, then the other.
ValueCast ChainCasts(ValueCast first, ValueCast second);

/// Value of a TEXT or JSON column as `to`, or nullopt; shared by text and JSON casts. `T` is the memory form.
std::optional<int64_t> ParseInteger(std::string_view text);
std::optional<double> ParseDouble(std::string_view text);
std::optional<bool> ParseBoolean(std::string_view text);
/// Rounds to the scale (half away from zero); nullopt when there are too many digits before the point.
std::optional<arrow::Decimal128> ParseDecimal(std::string_view text, int precision, int scale);
/// The nearest DOUBLE.
double DecimalToDouble(const arrow::Decimal128& value, int scale);
/// The shortest decimal text that reads back as `value`, rounded half away from zero: 1.005 is 1.01 with two
/// digits. Nothing for NaN, infinity and what has too many digits.
std::optional<arrow::Decimal128> DoubleToDecimal(double value, int precision, int scale);
std::optional<arrow::Decimal128> RescaleDecimal(const arrow::Decimal128& value, int from_scale, int precision,
                                                int scale);
std::string_view TrimSpace(std::string_view text);
/// µs cut to the precision (0, 3, 6) towards −∞.
int64_t TruncateMicros(int64_t micros, int precision);

}  // namespace laminar
