#include "formats/text_value.h"

#include <limits>

#include "formats/scalar_text.h"
#include "types/timestamp_text.h"

namespace laminar {

std::string ShortenText(std::string_view text) {
  constexpr size_t kShown = 80;
  if (text.size() <= kShown) return std::string(text);
  size_t end = kShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // not within a character
  return std::string(text.substr(0, end)) + "…";
}

std::string DescribeBadValue(std::string_view text, const Type& type) {
  return "'" + ShortenText(text) + "' is not a valid " + type.ToString();
}

namespace {

bool Fail(std::string_view text, const char* why, std::string* error) {
  *error = "'" + ShortenText(text) + "' " + why;
  return false;
}

/// For numbers: why `text` is not one of the column's type.
bool FailNumber(const ColumnWriter& column, std::string_view text, NumberError why, std::string* error) {
  *error = why == NumberError::kRange
               ? "'" + ShortenText(text) + "' is out of range for " + column.type().ToString()
               : DescribeBadValue(text, column.type());
  return false;
}

template <typename T>
bool AppendInteger(ColumnWriter* column, std::string_view text, std::string* error) {
  IntegerText parsed;
  NumberError why = ParseInteger(text, &parsed);
  constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<T>::max());
  const uint64_t limit = !parsed.negative ? kMax : std::numeric_limits<T>::is_signed ? kMax + 1 : 0;
  if (why == NumberError::kNone && parsed.magnitude > limit) why = NumberError::kRange;
  if (why != NumberError::kNone) return FailNumber(*column, text, why, error);
  column->AppendFixed<T>(static_cast<T>(parsed.negative ? 0 - parsed.magnitude : parsed.magnitude));
  return true;
}

/// The values that JSON numbers cannot say, as text.
bool SpecialDouble(std::string_view text, double* out) {
  if (text == "NaN") {
    *out = std::numeric_limits<double>::quiet_NaN();
  } else if (text == "Infinity" || text == "+Infinity") {
    *out = std::numeric_limits<double>::infinity();
  } else if (text == "-Infinity") {
    *out = -std::numeric_limits<double>::infinity();
  } else {
    return false;
  }
  return true;
}

bool AppendDouble(ColumnWriter* column, std::string_view text, bool quoted, std::string* error) {
  double value = 0;
  float narrow = 0;
  NumberError why = NumberError::kNone;
  if (quoted && SpecialDouble(text, &value)) {
    narrow = static_cast<float>(value);
  } else {
    why = column->id() == TypeId::kFloat ? ParseFloat(text, &narrow) : ParseDouble(text, &value);
  }
  if (why != NumberError::kNone) return FailNumber(*column, text, why, error);
  if (column->id() == TypeId::kFloat) {
    column->AppendFixed(narrow);
  } else {
    column->AppendFixed(value);
  }
  return true;
}

bool AppendDecimal(ColumnWriter* column, std::string_view text, std::string* error) {
  __int128 value;
  const NumberError why = ParseDecimal(text, column->type().precision(), column->type().scale(), &value);
  if (why != NumberError::kNone) return FailNumber(*column, text, why, error);
  column->AppendFixed(value);
  return true;
}

bool AppendDecimalBytes(ColumnWriter* column, std::string_view text, std::string* error) {
  std::string bytes(text.size(), '\0');
  const auto length = DecodeBase64(text, bytes.data());
  const auto value =
      length ? DecimalFromBigEndian({bytes.data(), static_cast<size_t>(*length)}) : std::nullopt;
  if (!value || !FitsPrecision(*value, column->type().precision())) {
    return Fail(text, "is not base64 of a DECIMAL's bytes that fit the column", error);
  }
  column->AppendFixed(*value);
  return true;
}

bool AppendBase64(ColumnWriter* column, std::string_view text, std::string* error) {
  char* out = column->BytesRoom(static_cast<int64_t>(text.size()));
  const auto length = DecodeBase64(text, out);
  if (!length) return Fail(text, "is not base64", error);
  column->CommitBytes(*length);
  return true;
}

/// Units per second in which a timestamp column keeps its values.
int64_t StoredUnits(const ColumnWriter& column) {
  return column.id() == TypeId::kTimestamp && column.type().precision() == 9 ? 1'000'000'000 : 1'000'000;
}

/// TIMESTAMP(0) and (3) cut off what is finer, towards the past.
void AppendTimestamp(ColumnWriter* column, int64_t value) {
  const int precision = column->id() == TypeId::kTimestampTz ? 6 : column->type().precision();
  const int64_t unit = precision >= 6 ? 1 : precision == 3 ? 1'000 : 1'000'000;
  const int64_t rest = value % unit;
  const int64_t truncated = value - rest;
  const bool below = rest < 0 && truncated >= std::numeric_limits<int64_t>::min() + unit;
  column->AppendFixed<int64_t>(below ? truncated - unit : truncated);
}

bool AppendTimestampText(ColumnWriter* column, std::string_view text, std::string* error) {
  const auto value = StoredUnits(*column) == 1'000'000'000 ? ParseTimestampNs(text) : ParseTimestampUs(text);
  if (!value) return Fail(text, ("is not a valid " + column->type().ToString()).c_str(), error);
  AppendTimestamp(column, *value);
  return true;
}

/// Units per second of an epoch number.
int64_t GivenUnits(EpochUnit unit, int64_t value) {
  switch (unit) {
    case EpochUnit::kSeconds:
      return 1;
    case EpochUnit::kMillis:
      return 1'000;
    case EpochUnit::kMicros:
      return 1'000'000;
    case EpochUnit::kNanos:
      return 1'000'000'000;
    case EpochUnit::kAuto:
      break;
  }
  const uint64_t size = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  if (size < 100'000'000'000) return 1;
  if (size < 100'000'000'000'000) return 1'000;
  if (size < 100'000'000'000'000'000) return 1'000'000;
  return 1'000'000'000;
}

bool AppendEpoch(ColumnWriter* column, std::string_view text, const TextRules& rules, std::string* error) {
  int64_t value;
  if (ParseInt64(text, &value) != NumberError::kNone) {
    *error = DescribeBadValue(text, column->type());
    return false;
  }
  const int64_t given = GivenUnits(rules.epoch_unit, value);
  const int64_t stored = StoredUnits(*column);
  if (given > stored) {
    const int64_t ratio = given / stored;
    value = value / ratio - (value % ratio < 0 ? 1 : 0);
  } else if (__builtin_mul_overflow(value, stored / given, &value)) {
    return FailNumber(*column, text, NumberError::kRange, error);
  }
  AppendTimestamp(column, value);
  return true;
}

bool AppendIntegerOfType(ColumnWriter* column, std::string_view text, std::string* error) {
  switch (column->id()) {
    case TypeId::kInt8:
      return AppendInteger<int8_t>(column, text, error);
    case TypeId::kInt16:
      return AppendInteger<int16_t>(column, text, error);
    case TypeId::kInt32:
      return AppendInteger<int32_t>(column, text, error);
    case TypeId::kUInt8:
      return AppendInteger<uint8_t>(column, text, error);
    case TypeId::kUInt16:
      return AppendInteger<uint16_t>(column, text, error);
    case TypeId::kUInt32:
      return AppendInteger<uint32_t>(column, text, error);
    case TypeId::kUInt64:
      return AppendInteger<uint64_t>(column, text, error);
    default:
      return AppendInteger<int64_t>(column, text, error);
  }
}

bool AppendBoolean(ColumnWriter* column, std::string_view text, std::string* error) {
  if (text != "true" && text != "false") {
    *error = DescribeBadValue(text, column->type());
    return false;
  }
  column->AppendFixed<uint8_t>(text == "true");
  return true;
}

}  // namespace

bool AppendTextValue(ColumnWriter* column, std::string_view text, const TextRules& rules,
                     std::string* error) {
  switch (column->id()) {
    case TypeId::kText:
      column->AppendBytes(text);
      return true;
    case TypeId::kBoolean:
      return AppendBoolean(column, text, error);
    case TypeId::kFloat:
    case TypeId::kDouble:
      return AppendDouble(column, text, true, error);
    case TypeId::kDecimal:
      return rules.decimal_bytes ? AppendDecimalBytes(column, text, error)
                                 : AppendDecimal(column, text, error);
    case TypeId::kBytes:
      return AppendBase64(column, text, error);
    case TypeId::kDate: {
      const auto days = ParseDate(text);
      if (!days) return Fail(text, "is not a DATE (YYYY-MM-DD)", error);
      column->AppendFixed<int32_t>(*days);
      return true;
    }
    case TypeId::kTime: {
      const auto nanos = ParseTimeNs(text);
      if (!nanos) return Fail(text, "is not a TIME (HH:MM:SS)", error);
      column->AppendFixed<int64_t>(*nanos);
      return true;
    }
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return AppendTimestampText(column, text, error);
    case TypeId::kInterval: {
      const auto interval = ParseIsoInterval(text);
      if (!interval) return Fail(text, "is not an ISO 8601 INTERVAL (P1DT2H)", error);
      column->AppendFixed(*interval);
      return true;
    }
    default:
      if (column->type().is_integer()) return AppendIntegerOfType(column, text, error);
      *error = DescribeBadValue(text, column->type());
      return false;
  }
}

bool AppendBareValue(ColumnWriter* column, std::string_view text, const TextRules& rules,
                     std::string* error) {
  switch (column->id()) {
    case TypeId::kBoolean:
      return AppendBoolean(column, text, error);
    case TypeId::kFloat:
    case TypeId::kDouble:
      return AppendDouble(column, text, false, error);
    case TypeId::kDecimal:
      return AppendDecimal(column, text, error);
    case TypeId::kDate:
      return AppendInteger<int32_t>(column, text, error);
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return AppendEpoch(column, text, rules, error);
    default:
      if (column->type().is_integer()) return AppendIntegerOfType(column, text, error);
      *error = DescribeBadValue(text, column->type());
      return false;
  }
}

}  // namespace laminar
