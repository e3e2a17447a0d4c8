#include "functions/value_text.h"

#include <arrow/array/util.h>
#include <arrow/scalar.h>
#include <arrow/util/base64.h>

#include <charconv>
#include <cmath>

#include "base/error.h"
#include "types/timestamp_text.h"

namespace laminar {

void AppendInteger(int64_t value, TextWriter& out) {
  char* to = out.Reserve(24);
  out.Advance(static_cast<size_t>(std::to_chars(to, to + 24, value).ptr - to));
}

void AppendUnsigned(uint64_t value, TextWriter& out) {
  char* to = out.Reserve(24);
  out.Advance(static_cast<size_t>(std::to_chars(to, to + 24, value).ptr - to));
}

namespace {

template <typename T>
void AppendReal(T value, TextWriter& out) {
  if (std::isnan(value)) return out.Append("NaN");
  if (std::isinf(value)) return out.Append(value > 0 ? "Infinity" : "-Infinity");
  char* to = out.Reserve(40);
  const T magnitude = std::fabs(value);
  const bool fixed = magnitude == 0 || (magnitude >= T(1e-5) && magnitude < T(1e16));
  char* end =
      std::to_chars(to, to + 36, value, fixed ? std::chars_format::fixed : std::chars_format::scientific).ptr;
  if (fixed && std::string_view(to, static_cast<size_t>(end - to)).find('.') == std::string_view::npos) {
    *end++ = '.';
    *end++ = '0';
  }
  out.Advance(static_cast<size_t>(end - to));
}

}  // namespace

void AppendDouble(double value, TextWriter& out) { AppendReal(value, out); }
void AppendFloat(float value, TextWriter& out) { AppendReal(value, out); }

void AppendJsonString(std::string_view text, TextWriter& out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.Push('"');
  size_t plain = 0;  // start of what needs no escape
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.Append(text.substr(plain, i - plain));
    plain = i + 1;
    switch (c) {
      case '"':
        out.Append("\\\"");
        break;
      case '\\':
        out.Append("\\\\");
        break;
      case '\n':
        out.Append("\\n");
        break;
      case '\r':
        out.Append("\\r");
        break;
      case '\t':
        out.Append("\\t");
        break;
      case '\b':
        out.Append("\\b");
        break;
      case '\f':
        out.Append("\\f");
        break;
      default:
        out.Append("\\u00");
        out.Push(kHex[c >> 4]);
        out.Push(kHex[c & 15]);
    }
  }
  out.Append(text.substr(plain));
  out.Push('"');
}

namespace {

using MonthDayNanos = arrow::MonthDayNanoIntervalType::MonthDayNanos;

/// All digits of the scale, never an exponent (which Arrow writes for small numbers).
std::string DecimalText(const arrow::Decimal128& value, int scale) {
  std::string text = value.ToIntegerString();
  if (scale <= 0) return text;
  const size_t start = text.starts_with('-') ? 1 : 0;
  const auto behind = static_cast<size_t>(scale);
  if (text.size() - start <= behind) text.insert(start, behind + 1 - (text.size() - start), '0');
  text.insert(text.size() - behind, ".");
  return text;
}

template <typename T>
RowText IntegerText(const ColumnView& column) {
  return [reader = ColumnReader<T>(column)](int64_t row, TextWriter& out) {
    if constexpr (std::is_signed_v<T>) {
      AppendInteger(reader[row], out);
    } else {
      AppendUnsigned(reader[row], out);
    }
  };
}

template <typename T>
RowText RealText(const ColumnView& column, TextForm form) {
  return [reader = ColumnReader<T>(column), form](int64_t row, TextWriter& out) {
    const T value = reader[row];
    if (form == TextForm::kJson && !std::isfinite(value)) return out.Append("null");
    AppendReal(value, out);
  };
}

/// Text that `write(row, char*)` puts somewhere and ends; quoted in JSON.
template <typename Write>
RowText TimeText(TextForm form, Write write) {
  return [write, quoted = form == TextForm::kJson](int64_t row, TextWriter& out) {
    if (quoted) out.Push('"');
    char* to = out.Reserve(kTimeTextBytesMax + 2);
    out.Advance(static_cast<size_t>(write(row, to) - to));
    if (quoted) out.Push('"');
  };
}

RowText TimestampValueText(const ColumnView& column, const Type& type, TextForm form) {
  const char separator = form == TextForm::kJson ? 'T' : ' ';
  const bool nanos = type.precision() == 9;
  const bool zone = type.id() == TypeId::kTimestampTz;
  return TimeText(form,
                  [reader = ColumnReader<int64_t>(column), separator, nanos, zone](int64_t row, char* to) {
                    char* end = nanos ? WriteTimestampNs(reader[row], separator, to)
                                      : WriteTimestampUs(reader[row], separator, to);
                    if (zone) *end++ = 'Z';
                    return end;
                  });
}

RowText ListText(const ColumnView& column, const Type& type) {
  const ListReader lists(column);
  RowText element = MakeRowText(ColumnView(lists.elements(), false), type.element(), TextForm::kJson);
  return [lists, element](int64_t row, TextWriter& out) {
    const ListSpan span = lists[row];
    out.Push('[');
    for (int64_t i = 0; i < span.length; ++i) {
      if (i) out.Push(',');
      element(span.begin + i, out);
    }
    out.Push(']');
  };
}

/// A child of a struct array lies under the struct's offset.
ColumnView StructField(const ColumnView& column, size_t field) {
  const arrow::ArrayData& data = *column.data();
  return ColumnView(data.child_data[field]->Slice(data.offset, data.length), column.is_constant());
}

RowText StructText(const ColumnView& column, const Type& type) {
  std::vector<std::pair<std::string, RowText>> fields;
  for (size_t i = 0; i < type.fields().size(); ++i) {
    TextWriter name(1, 64);
    AppendJsonString(type.fields()[i].name, name);
    fields.emplace_back(std::string(name.row()) + ":",
                        MakeRowText(StructField(column, i), type.fields()[i].type, TextForm::kJson));
  }
  return [fields](int64_t row, TextWriter& out) {
    char before = '{';
    for (const auto& [name, value] : fields) {
      out.Push(before);
      out.Append(name);
      value(row, out);
      before = ',';
    }
    if (before == '{') out.Push('{');
    out.Push('}');
  };
}

/// Keys that are not text are written as their SQL text in quotes.
RowText MapValueText(const ColumnView& column, const Type& type) {
  const ListReader maps(column);
  const ColumnView entries(maps.elements(), false);
  const bool text_key = type.key().id() == TypeId::kText;
  RowText key = MakeRowText(StructField(entries, 0), type.key(), text_key ? TextForm::kJson : TextForm::kSql);
  RowText value = MakeRowText(StructField(entries, 1), type.element(), TextForm::kJson);
  return [maps, key, value, text_key](int64_t row, TextWriter& out) {
    const ListSpan span = maps[row];
    out.Push('{');
    for (int64_t i = span.begin; i < span.begin + span.length; ++i) {
      if (i > span.begin) out.Push(',');
      if (!text_key) out.Push('"');
      key(i, out);
      out.Append(text_key ? ":" : "\":");
      value(i, out);
    }
    out.Push('}');
  };
}

RowText BytesText(const ColumnView& column, TextForm form) {
  return [reader = ColumnReader<std::string_view>(column), form](int64_t row, TextWriter& out) {
    if (form == TextForm::kSql) return out.Append(reader[row]);
    out.Push('"');
    out.Append(arrow::util::base64_encode(reader[row]));
    out.Push('"');
  };
}

RowText MakeValidRowText(const ColumnView& column, const Type& type, TextForm form) {
  switch (type.id()) {
    case TypeId::kNull:
      return [](int64_t, TextWriter& out) { out.Append("null"); };
    case TypeId::kBoolean:
      return [reader = ColumnReader<bool>(column)](int64_t row, TextWriter& out) {
        out.Append(reader[row] ? "true" : "false");
      };
    case TypeId::kInt8:
      return IntegerText<int8_t>(column);
    case TypeId::kInt16:
      return IntegerText<int16_t>(column);
    case TypeId::kInt32:
      return IntegerText<int32_t>(column);
    case TypeId::kInt64:
      return IntegerText<int64_t>(column);
    case TypeId::kUInt8:
      return IntegerText<uint8_t>(column);
    case TypeId::kUInt16:
      return IntegerText<uint16_t>(column);
    case TypeId::kUInt32:
      return IntegerText<uint32_t>(column);
    case TypeId::kUInt64:
      return IntegerText<uint64_t>(column);
    case TypeId::kFloat:
      return RealText<float>(column, form);
    case TypeId::kDouble:
      return RealText<double>(column, form);
    case TypeId::kDecimal:
      return [reader = ColumnReader<arrow::Decimal128>(column), scale = type.scale()](
                 int64_t row, TextWriter& out) { out.Append(DecimalText(reader[row], scale)); };
    case TypeId::kText:
      return [reader = ColumnReader<std::string_view>(column), form](int64_t row, TextWriter& out) {
        form == TextForm::kJson ? AppendJsonString(reader[row], out) : out.Append(reader[row]);
      };
    case TypeId::kJson:
      return [reader = ColumnReader<std::string_view>(column)](int64_t row, TextWriter& out) {
        out.Append(reader[row]);
      };
    case TypeId::kBytes:
      return BytesText(column, form);
    case TypeId::kDate:
      return TimeText(
          form, [r = ColumnReader<int32_t>(column)](int64_t row, char* to) { return WriteDate(r[row], to); });
    case TypeId::kTime:
      return TimeText(form, [r = ColumnReader<int64_t>(column)](int64_t row, char* to) {
        return WriteTimeNs(r[row], to);
      });
    case TypeId::kTimestamp:
    case TypeId::kTimestampTz:
      return TimestampValueText(column, type, form);
    case TypeId::kInterval:
      return TimeText(form, [r = ColumnReader<MonthDayNanos>(column)](int64_t row, char* to) {
        const MonthDayNanos value = r[row];
        return WriteIsoInterval({value.months, value.days, value.nanoseconds}, to);
      });
    case TypeId::kArray:
      return ListText(column, type);
    case TypeId::kMap:
      return MapValueText(column, type);
    case TypeId::kStruct:
      return StructText(column, type);
  }
  CheckFailed(__FILE__, __LINE__, "type", type.ToString());
}

std::string ScalarText(const arrow::Scalar& scalar, const Type& type, TextForm form) {
  TextWriter writer(1, 64);
  const ColumnView view{arrow::Datum(scalar.GetSharedPtr())};
  MakeRowText(view, type, form)(0, writer);
  return std::string(writer.row());
}

}  // namespace

RowText MakeRowText(const ColumnView& column, const Type& type, TextForm form) {
  RowText valid = MakeValidRowText(column, type, form);
  if (form == TextForm::kSql || !column.may_have_nulls()) return valid;
  return [column, valid](int64_t row, TextWriter& out) {
    if (column.IsNull(row)) return out.Append("null");
    valid(row, out);
  };
}

std::string ScalarToText(const arrow::Scalar& scalar, const Type& type) {
  return scalar.is_valid ? ScalarText(scalar, type, TextForm::kSql) : "NULL";
}
std::string ScalarToJson(const arrow::Scalar& scalar, const Type& type) {
  return scalar.is_valid ? ScalarText(scalar, type, TextForm::kJson) : "null";
}

}  // namespace laminar
