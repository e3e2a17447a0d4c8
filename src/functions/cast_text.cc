/// TEXT → scalars, and scalars → TEXT. TEXT and BYTEA turn into one another byte by byte; BYTEA must then be
/// UTF-8.

#include <simdjson.h>

#include <charconv>
#include <utility>

#include "functions/cast_kernel.h"
#include "functions/interval_text.h"
#include "functions/value_text.h"
#include "types/timestamp_text.h"

namespace laminar {

using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;

std::string_view TrimSpace(std::string_view text) {
  auto is_space = [](char c) { return c == ' ' || (c >= '\t' && c <= '\r'); };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

namespace {

template <typename T>
std::optional<T> ParseNumber(std::string_view text) {
  text = TrimSpace(text);
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return std::nullopt;
  return value;
}

bool EqualsAny(std::string_view text, std::initializer_list<std::string_view> words) {
  for (std::string_view word : words) {
    if (EqualsIgnoreCase(text, word)) return true;
  }
  return false;
}

template <typename T>
ValueCast ParseCast(const Type& to) {
  return FallibleCast<std::string_view>(to, [](std::string_view text) { return ParseNumber<T>(text); });
}

template <typename Parse>
ValueCast ParsedBy(const Type& to, Parse parse) {
  return FallibleCast<std::string_view>(to,
                                        [parse](std::string_view text) { return parse(TrimSpace(text)); });
}

/// Also takes the date of a timestamp's text.
std::optional<int32_t> ParseDateOrTimestamp(std::string_view text) {
  if (auto date = ParseDate(text)) return date;
  auto moment = ParseTimestamp(text);
  if (!moment) return std::nullopt;
  const int64_t days = moment->seconds >= 0 ? moment->seconds / 86400 : -((-moment->seconds + 86399) / 86400);
  if (!std::in_range<int32_t>(days)) return std::nullopt;
  return static_cast<int32_t>(days);
}

ValueCast TimestampFromText(const Type& to) {
  if (to.precision() == 9) return ParsedBy(to, ParseTimestampNs);
  return ParsedBy(to,
                  [precision = to.id() == TypeId::kTimestampTz ? 6 : to.precision()](std::string_view text) {
                    auto micros = ParseTimestampUs(text);
                    if (micros) micros = TruncateMicros(*micros, precision);
                    return micros;
                  });
}

ValueCast FromText(const Type& to) {
  switch (to.id()) {
    case TypeId::kBoolean:
      return FallibleCast<std::string_view>(to, ParseBoolean);
    case TypeId::kInt8:
      return ParseCast<int8_t>(to);
    case TypeId::kInt16:
      return ParseCast<int16_t>(to);
    case TypeId::kInt32:
      return ParseCast<int32_t>(to);
    case TypeId::kInt64:
      return ParseCast<int64_t>(to);
    case TypeId::kUInt8:
      return ParseCast<uint8_t>(to);
    case TypeId::kUInt16:
      return ParseCast<uint16_t>(to);
    case TypeId::kUInt32:
      return ParseCast<uint32_t>(to);
    case TypeId::kUInt64:
      return ParseCast<uint64_t>(to);
    case TypeId::kFloat:
      return ParseCast<float>(to);
    case TypeId::kDouble:
      return ParseCast<double>(to);
    case TypeId::kDecimal:
      return ParsedBy(to, [p = to.precision(), s = to.scale()](std::string_view text) {
        return ParseDecimal(text, p, s);
      });
    case TypeId::kBytes:
      return ReinterpretCast(to);
    case TypeId::kDate:
      return ParsedBy(to, ParseDateOrTimestamp);
    case TypeId::kTime:
      return ParsedBy(to, ParseTimeNs);
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return TimestampFromText(to);
    case TypeId::kInterval:
      return ParsedBy(to, [](std::string_view text) -> std::optional<MonthDayNanos> {
        auto interval = ParseInterval(text);
        if (!interval) return std::nullopt;
        return MonthDayNanos{interval->months, interval->days, interval->nanos};
      });
    default:
      return {};
  }
}

ValueCast BytesToText() {
  return {[](const arrow::Datum& value, int64_t rows, bool try_cast) {
            const std::vector<arrow::Datum> args = {value};
            const EvalContext context;
            return Map<std::string_view>(
                {args, rows, context}, arrow::utf8(),
                [&](std::string_view bytes, BatchError& error) -> std::optional<std::string_view> {
                  if (simdjson::validate_utf8(bytes.data(), bytes.size())) return bytes;
                  if (!try_cast) {
                    error.Fail([&] {
                      std::string shown = "X'";
                      for (const char c : bytes.substr(0, 30))
                        shown += fmt::format("{:02X}", static_cast<unsigned char>(c));
                      return CannotCast(shown + (bytes.size() > 30 ? "…'" : "'"), Type::Text()) +
                             ": not UTF-8";
                    });
                  }
                  return std::nullopt;
                });
          },
          true};
}

ValueCast ToText(const Type& from) {
  return {[from](const arrow::Datum& value, int64_t rows, bool) -> arrow::Result<arrow::Datum> {
            const CallShape shape = ShapeOf({value}, rows);
            if (shape.all_null) return NullDatum(arrow::utf8());
            const RowText text = MakeRowText(ColumnView(value), from, TextForm::kSql);
            TextWriter writer(shape.rows, shape.rows * 16);
            elementwise::ForEachRow(
                shape,
                [&](int64_t row) {
                  text(row, writer);
                  writer.EndRow();
                },
                [&](int64_t) { writer.EndRow(); });
            ARROW_ASSIGN_OR_RAISE(auto buffers, writer.Finish());
            return FinishColumn(shape, arrow::utf8(), shape.valid, std::move(buffers));
          },
          false};
}

}  // namespace

std::optional<int64_t> ParseInteger(std::string_view text) { return ParseNumber<int64_t>(text); }
std::optional<double> ParseDouble(std::string_view text) { return ParseNumber<double>(text); }

std::optional<bool> ParseBoolean(std::string_view text) {
  text = TrimSpace(text);
  if (EqualsAny(text, {"true", "t", "yes", "y", "on", "1"})) return true;
  if (EqualsAny(text, {"false", "f", "no", "n", "off", "0"})) return false;
  return std::nullopt;
}

std::optional<arrow::Decimal128> ParseDecimal(std::string_view text, int precision, int scale) {
  text = TrimSpace(text);
  arrow::Decimal128 value;
  int32_t digits = 0;
  int32_t found_scale = 0;
  if (text.empty() || !arrow::Decimal128::FromString(text, &value, &digits, &found_scale).ok())
    return std::nullopt;
  return RescaleDecimal(value, found_scale, precision, scale);
}

ValueCast FindTextCast(const Type& from, const Type& to) {
  if (from.id() == TypeId::kText) return FromText(to);
  if (to.id() == TypeId::kBytes) return {};
  if (to.id() != TypeId::kText) return {};
  if (from.id() == TypeId::kBytes) return BytesToText();
  return ToText(from);
}

}  // namespace laminar
