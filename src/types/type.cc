#include "types/type.h"

#include <arrow/type.h>

#include <algorithm>
#include <cctype>

#include "base/error.h"

namespace laminar {

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

namespace {

int FindField(const std::vector<Field>& fields, std::string_view name) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].name == name) return static_cast<int>(i);
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    if (EqualsIgnoreCase(fields[i].name, name)) return static_cast<int>(i);
  }
  return -1;
}

std::shared_ptr<arrow::Field> ArrowField(const Field& field) {
  return arrow::field(field.name, field.type.arrow_type(), field.nullable);
}

}  // namespace

Type Type::Decimal(int precision, int scale) {
  Type type(TypeId::kDecimal);
  type.precision_ = static_cast<int8_t>(precision);
  type.scale_ = static_cast<int8_t>(scale);
  return type;
}

Type Type::Timestamp(int precision) {
  Type type(TypeId::kTimestamp);
  type.precision_ = static_cast<int8_t>(precision);
  return type;
}

Type Type::Array(Type element) {
  Type type(TypeId::kArray);
  type.children_ =
      std::make_shared<const std::vector<Field>>(std::vector<Field>{{"item", std::move(element), true}});
  return type;
}

Type Type::Map(Type key, Type value) {
  Type type(TypeId::kMap);
  type.children_ = std::make_shared<const std::vector<Field>>(
      std::vector<Field>{{"key", std::move(key), false}, {"value", std::move(value), true}});
  return type;
}

Type Type::Struct(std::vector<Field> fields) {
  Type type(TypeId::kStruct);
  type.children_ = std::make_shared<const std::vector<Field>>(std::move(fields));
  return type;
}

Type Type::Window() { return Struct({{"start", Timestamp(), true}, {"end", Timestamp(), true}}); }

bool Type::is_window() const {
  return id_ == TypeId::kStruct && children_->size() == 2 && (*children_)[0].name == "start" &&
         (*children_)[1].name == "end" && (*children_)[0].type.id() == TypeId::kTimestamp &&
         (*children_)[1].type.id() == TypeId::kTimestamp;
}

const Type& Type::element() const {
  LAMINAR_CHECK(id_ == TypeId::kArray || id_ == TypeId::kMap, "element() of " + ToString());
  return children_->back().type;
}

const Type& Type::key() const {
  LAMINAR_CHECK(id_ == TypeId::kMap, "key() of " + ToString());
  return children_->front().type;
}

const std::vector<Field>& Type::fields() const {
  LAMINAR_CHECK(id_ == TypeId::kStruct, "fields() of " + ToString());
  return *children_;
}

int Type::FieldIndex(std::string_view name) const { return FindField(fields(), name); }

bool operator==(const Type& a, const Type& b) {
  if (a.id_ != b.id_ || a.precision_ != b.precision_ || a.scale_ != b.scale_) return false;
  if (a.children_ == b.children_) return true;
  return a.children_ && b.children_ && *a.children_ == *b.children_;
}

std::shared_ptr<arrow::DataType> Type::arrow_type() const {
  switch (id_) {
    case TypeId::kNull:
      return arrow::null();
    case TypeId::kBoolean:
      return arrow::boolean();
    case TypeId::kInt8:
      return arrow::int8();
    case TypeId::kInt16:
      return arrow::int16();
    case TypeId::kInt32:
      return arrow::int32();
    case TypeId::kInt64:
      return arrow::int64();
    case TypeId::kUInt8:
      return arrow::uint8();
    case TypeId::kUInt16:
      return arrow::uint16();
    case TypeId::kUInt32:
      return arrow::uint32();
    case TypeId::kUInt64:
      return arrow::uint64();
    case TypeId::kFloat:
      return arrow::float32();
    case TypeId::kDouble:
      return arrow::float64();
    case TypeId::kDecimal:
      return arrow::decimal128(precision_, scale_);
    case TypeId::kText:
      return arrow::utf8();
    case TypeId::kBytes:
      return arrow::binary();
    case TypeId::kDate:
      return arrow::date32();
    case TypeId::kTime:
      return arrow::time64(arrow::TimeUnit::NANO);
    case TypeId::kTimestamp:
      return arrow::timestamp(precision_ == 9 ? arrow::TimeUnit::NANO : arrow::TimeUnit::MICRO);
    case TypeId::kTimestampTz:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    case TypeId::kInterval:
      return arrow::month_day_nano_interval();
    case TypeId::kJson:
      return arrow::utf8();
    case TypeId::kArray:
      return arrow::list(ArrowField(children_->front()));
    case TypeId::kMap:
      return arrow::map(key().arrow_type(), ArrowField(children_->back()));
    case TypeId::kStruct: {
      arrow::FieldVector fields;
      for (const Field& field : *children_) fields.push_back(ArrowField(field));
      return arrow::struct_(std::move(fields));
    }
  }
  return arrow::null();
}

namespace {

/// A name as it must be written to parse back: quoted unless it is a plain identifier.
std::string QuoteIfNeeded(const std::string& name) {
  bool plain = !name.empty() && !std::isdigit(static_cast<unsigned char>(name[0]));
  for (unsigned char c : name) plain = plain && (std::isalnum(c) || c == '_');
  if (plain) return name;
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + "\"";
}

}  // namespace

std::string Type::ToString() const {
  switch (id_) {
    case TypeId::kNull:
      return "NULL";
    case TypeId::kBoolean:
      return "BOOLEAN";
    case TypeId::kInt8:
      return "TINYINT";
    case TypeId::kInt16:
      return "SMALLINT";
    case TypeId::kInt32:
      return "INT";
    case TypeId::kInt64:
      return "BIGINT";
    case TypeId::kUInt8:
      return "TINYINT UNSIGNED";
    case TypeId::kUInt16:
      return "SMALLINT UNSIGNED";
    case TypeId::kUInt32:
      return "INT UNSIGNED";
    case TypeId::kUInt64:
      return "BIGINT UNSIGNED";
    case TypeId::kFloat:
      return "FLOAT";
    case TypeId::kDouble:
      return "DOUBLE";
    case TypeId::kDecimal:
      return "DECIMAL(" + std::to_string(precision_) + "," + std::to_string(scale_) + ")";
    case TypeId::kText:
      return "TEXT";
    case TypeId::kBytes:
      return "BYTEA";
    case TypeId::kDate:
      return "DATE";
    case TypeId::kTime:
      return "TIME";
    case TypeId::kTimestamp:
      return precision_ == 6 ? "TIMESTAMP" : "TIMESTAMP(" + std::to_string(precision_) + ")";
    case TypeId::kTimestampTz:
      return "TIMESTAMPTZ";
    case TypeId::kInterval:
      return "INTERVAL";
    case TypeId::kJson:
      return "JSON";
    case TypeId::kArray:
      return element().ToString() + "[]";
    case TypeId::kMap:
      return "MAP<" + key().ToString() + ", " + element().ToString() + ">";
    case TypeId::kStruct: {
      std::string out = "STRUCT<";
      for (size_t i = 0; i < children_->size(); ++i) {
        if (i) out += ", ";
        out += QuoteIfNeeded((*children_)[i].name) + " " + (*children_)[i].type.ToString();
        if (!(*children_)[i].nullable) out += " NOT NULL";
      }
      return out + ">";
    }
  }
  return "?";
}

std::optional<Type> Type::FromArrow(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::NA:
      return Null();
    case arrow::Type::BOOL:
      return Boolean();
    case arrow::Type::INT8:
      return Int8();
    case arrow::Type::INT16:
      return Int16();
    case arrow::Type::INT32:
      return Int32();
    case arrow::Type::INT64:
      return Int64();
    case arrow::Type::UINT8:
      return UInt8();
    case arrow::Type::UINT16:
      return UInt16();
    case arrow::Type::UINT32:
      return UInt32();
    case arrow::Type::UINT64:
      return UInt64();
    case arrow::Type::FLOAT:
      return Float();
    case arrow::Type::DOUBLE:
      return Double();
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      return Decimal(decimal.precision(), decimal.scale());
    }
    case arrow::Type::STRING:
      return Text();
    case arrow::Type::BINARY:
      return Bytes();
    case arrow::Type::DATE32:
      return Date();
    case arrow::Type::TIME64:
      return Time();
    case arrow::Type::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      if (!timestamp.timezone().empty()) return TimestampTz();
      return Timestamp(timestamp.unit() == arrow::TimeUnit::NANO ? 9 : 6);
    }
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return Interval();
    case arrow::Type::LIST: {
      auto element = FromArrow(*static_cast<const arrow::ListType&>(type).value_type());
      if (!element) return std::nullopt;
      return Array(*element);
    }
    case arrow::Type::MAP: {
      auto key = FromArrow(*static_cast<const arrow::MapType&>(type).key_type());
      auto value = FromArrow(*static_cast<const arrow::MapType&>(type).item_type());
      if (!key || !value) return std::nullopt;
      return Map(*key, *value);
    }
    case arrow::Type::STRUCT: {
      std::vector<Field> fields;
      for (const auto& child : type.fields()) {
        auto field_type = FromArrow(*child->type());
        if (!field_type) return std::nullopt;
        fields.push_back({child->name(), *field_type, child->nullable()});
      }
      return Struct(std::move(fields));
    }
    default:
      return std::nullopt;
  }
}

int Schema::IndexOf(std::string_view name) const { return FindField(fields, name); }

std::shared_ptr<arrow::Schema> Schema::arrow_schema() const {
  arrow::FieldVector out;
  for (const Field& field : fields) out.push_back(ArrowField(field));
  return arrow::schema(std::move(out));
}

std::string Schema::ToString() const {
  std::string out;
  for (const Field& field : fields) {
    if (!out.empty()) out += ", ";
    out += QuoteIfNeeded(field.name) + " " + field.type.ToString();
    if (!field.nullable) out += " NOT NULL";
  }
  return out;
}

namespace {

int IntegerBits(TypeId id) {
  switch (id) {
    case TypeId::kInt8:
    case TypeId::kUInt8:
      return 8;
    case TypeId::kInt16:
    case TypeId::kUInt16:
      return 16;
    case TypeId::kInt32:
    case TypeId::kUInt32:
      return 32;
    default:
      return 64;
  }
}

Type SignedOfBits(int bits) {
  if (bits <= 8) return Type::Int8();
  if (bits <= 16) return Type::Int16();
  if (bits <= 32) return Type::Int32();
  return Type::Int64();
}

Type CommonInteger(const Type& a, const Type& b) {
  if (a.is_signed_integer() == b.is_signed_integer()) {
    return IntegerBits(a.id()) >= IntegerBits(b.id()) ? a : b;
  }
  const Type& uns = a.is_unsigned_integer() ? a : b;
  const Type& sig = a.is_unsigned_integer() ? b : a;
  return SignedOfBits(std::max(IntegerBits(sig.id()), IntegerBits(uns.id()) * 2));
}

/// Digits that an integer type may need as DECIMAL.
int IntegerDigits(TypeId id) {
  switch (IntegerBits(id)) {
    case 8:
      return 3;
    case 16:
      return 5;
    case 32:
      return 10;
    default:
      return id == TypeId::kUInt64 ? 20 : 19;
  }
}

Type CommonDecimal(int precision_a, int scale_a, int precision_b, int scale_b) {
  const int scale = std::max(scale_a, scale_b);
  const int whole = std::max(precision_a - scale_a, precision_b - scale_b);
  return Type::Decimal(std::min(38, whole + scale), scale);
}

}  // namespace

std::optional<Type> CommonType(const Type& a, const Type& b) {
  if (a == b) return a;
  if (a.is_null()) return b;
  if (b.is_null()) return a;
  if (a.is_numeric() && b.is_numeric()) {
    if (a.is_floating() || b.is_floating()) {
      return a.id() == TypeId::kFloat && b.id() == TypeId::kFloat ? Type::Float() : Type::Double();
    }
    if (a.is_integer() && b.is_integer()) return CommonInteger(a, b);
    auto digits = [](const Type& t) {
      return t.id() == TypeId::kDecimal ? t.precision() : IntegerDigits(t.id());
    };
    auto scale = [](const Type& t) { return t.id() == TypeId::kDecimal ? t.scale() : 0; };
    return CommonDecimal(digits(a), scale(a), digits(b), scale(b));
  }
  if (a.id() == TypeId::kTimestamp && b.id() == TypeId::kTimestamp) {
    return Type::Timestamp(std::max(a.precision(), b.precision()));
  }
  auto is_moment = [](const Type& t) { return t.is_timestamp() || t.id() == TypeId::kDate; };
  if (is_moment(a) && is_moment(b)) {
    if (a.id() == TypeId::kTimestampTz || b.id() == TypeId::kTimestampTz) return Type::TimestampTz();
    return a.id() == TypeId::kTimestamp ? a : b;
  }
  auto is_text = [](const Type& t) { return t.id() == TypeId::kText || t.id() == TypeId::kJson; };
  if (is_text(a) && is_text(b)) return Type::Text();
  if (a.id() == TypeId::kArray && b.id() == TypeId::kArray) {
    auto element = CommonType(a.element(), b.element());
    if (element) return Type::Array(*element);
  }
  if (a.id() == TypeId::kMap && b.id() == TypeId::kMap) {
    auto key = CommonType(a.key(), b.key());
    auto value = CommonType(a.element(), b.element());
    if (key && value) return Type::Map(*key, *value);
  }
  if (a.id() == TypeId::kStruct && b.id() == TypeId::kStruct && a.fields().size() == b.fields().size()) {
    std::vector<Field> fields;
    for (size_t i = 0; i < a.fields().size(); ++i) {
      auto type = CommonType(a.fields()[i].type, b.fields()[i].type);
      if (!type) return std::nullopt;
      fields.push_back({a.fields()[i].name, *type, a.fields()[i].nullable || b.fields()[i].nullable});
    }
    return Type::Struct(std::move(fields));
  }
  return std::nullopt;
}

namespace {

/// A reader of type names: one method per shape, each leaves `pos_` behind what it took.
class TypeNameReader {
 public:
  explicit TypeNameReader(std::string_view text) : text_(text) {}

  std::optional<Type> ReadAll() {
    auto type = ReadType();
    SkipSpace();
    return type && pos_ == text_.size() ? type : std::nullopt;
  }

 private:
  void SkipSpace() {
    while (pos_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[pos_]))) ++pos_;
  }
  bool Take(char c) {
    SkipSpace();
    if (pos_ >= text_.size() || text_[pos_] != c) return false;
    ++pos_;
    return true;
  }
  std::string PeekWord() {
    SkipSpace();
    size_t end = pos_;
    while (end < text_.size() && (std::isalnum(static_cast<unsigned char>(text_[end])) || text_[end] == '_'))
      ++end;
    std::string word(text_.substr(pos_, end - pos_));
    for (char& c : word) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return word;
  }
  bool TakeWord(std::string_view word) {
    if (PeekWord() != word) return false;
    pos_ += word.size();
    return true;
  }
  std::optional<int> ReadInt() {
    const std::string digits = PeekWord();
    if (digits.empty() || digits.size() > 9 || !std::all_of(digits.begin(), digits.end(), ::isdigit))
      return std::nullopt;
    pos_ += digits.size();
    return std::stoi(digits);
  }
  std::optional<std::string> ReadName() {
    SkipSpace();
    if (pos_ < text_.size() && (text_[pos_] == '"' || text_[pos_] == '`')) {
      const char quote = text_[pos_++];
      std::string name;
      while (pos_ < text_.size()) {
        if (text_[pos_] == quote) {
          ++pos_;
          if (pos_ >= text_.size() || text_[pos_] != quote) return name;
        }
        name.push_back(text_[pos_++]);
      }
      return std::nullopt;
    }
    const size_t length = PeekWord().size();
    if (length == 0) return std::nullopt;
    pos_ += length;
    return std::string(text_.substr(pos_ - length, length));
  }

  std::optional<Type> ReadType() {
    auto type = ReadBase();
    while (type && Take('[')) {
      if (!Take(']')) return std::nullopt;
      type = Type::Array(*type);
    }
    return type;
  }

  std::optional<Type> Integer(Type with_sign, Type without_sign) {
    return TakeWord("UNSIGNED") ? without_sign : with_sign;
  }

  std::optional<Type> ReadBase() {
    const std::string word = PeekWord();
    if (word.empty()) return std::nullopt;
    pos_ += word.size();
    if (word == "BOOLEAN" || word == "BOOL") return Type::Boolean();
    if (word == "TINYINT") return Integer(Type::Int8(), Type::UInt8());
    if (word == "SMALLINT" || word == "INT2") return Integer(Type::Int16(), Type::UInt16());
    if (word == "INT" || word == "INTEGER" || word == "INT4") return Integer(Type::Int32(), Type::UInt32());
    if (word == "BIGINT" || word == "INT8") return Integer(Type::Int64(), Type::UInt64());
    if (word == "FLOAT" || word == "REAL" || word == "FLOAT4") return Type::Float();
    if (word == "DOUBLE") {
      TakeWord("PRECISION");
      return Type::Double();
    }
    if (word == "FLOAT8") return Type::Double();
    if (word == "DECIMAL" || word == "NUMERIC" || word == "DEC") return ReadDecimal();
    if (word == "TEXT" || word == "STRING" || word == "VARCHAR" || word == "CHAR") {
      if (Take('(') && (!ReadInt() || !Take(')'))) return std::nullopt;
      return Type::Text();
    }
    if (word == "BYTEA" || word == "BINARY" || word == "VARBINARY" || word == "BYTES" || word == "BLOB") {
      if (Take('(') && (!ReadInt() || !Take(')'))) return std::nullopt;
      return Type::Bytes();
    }
    if (word == "DATE") return Type::Date();
    if (word == "TIME") return Type::Time();
    if (word == "TIMESTAMP" || word == "DATETIME") return ReadTimestamp();
    if (word == "TIMESTAMPTZ" || word == "TIMESTAMP_LTZ") {
      if (Take('(') && (!ReadInt() || !Take(')'))) return std::nullopt;
      return Type::TimestampTz();
    }
    if (word == "INTERVAL") return Type::Interval();
    if (word == "JSON" || word == "JSONB") return Type::Json();
    if (word == "ARRAY" || word == "LIST") return ReadArray();
    if (word == "MAP") return ReadMap();
    if (word == "STRUCT" || word == "ROW") return ReadStruct();
    return std::nullopt;
  }

  std::optional<Type> ReadDecimal() {
    if (!Take('(')) return Type::Decimal(38, 10);
    auto precision = ReadInt();
    int scale = 0;
    if (Take(',')) {
      auto given = ReadInt();
      if (!given) return std::nullopt;
      scale = *given;
    }
    if (!precision || !Take(')') || *precision < 1 || *precision > 38 || scale > *precision)
      return std::nullopt;
    return Type::Decimal(*precision, scale);
  }

  std::optional<Type> ReadTimestamp() {
    int precision = 6;
    if (Take('(')) {
      auto given = ReadInt();
      if (!given || !Take(')')) return std::nullopt;
      precision = *given;
      if (precision != 0 && precision != 3 && precision != 6 && precision != 9) return std::nullopt;
    }
    if (TakeWord("WITH")) {
      if (!TakeWord("TIME") || !TakeWord("ZONE")) return std::nullopt;
      return Type::TimestampTz();
    }
    if (TakeWord("WITHOUT") && (!TakeWord("TIME") || !TakeWord("ZONE"))) return std::nullopt;
    return Type::Timestamp(precision);
  }

  std::optional<Type> ReadArray() {
    const char close = Take('<') ? '>' : Take('(') ? ')' : '\0';
    if (!close) return std::nullopt;
    auto element = ReadType();
    if (!element || !Take(close)) return std::nullopt;
    return Type::Array(*element);
  }

  std::optional<Type> ReadMap() {
    const char close = Take('<') ? '>' : Take('(') ? ')' : '\0';
    if (!close) return std::nullopt;
    auto key = ReadType();
    if (!key || !Take(',')) return std::nullopt;
    auto value = ReadType();
    if (!value || !Take(close)) return std::nullopt;
    return Type::Map(*key, *value);
  }

  std::optional<Type> ReadStruct() {
    const char close = Take('<') ? '>' : Take('(') ? ')' : '\0';
    if (!close) return std::nullopt;
    std::vector<Field> fields;
    do {
      auto name = ReadName();
      if (!name) return std::nullopt;
      Take(':');
      auto type = ReadType();
      if (!type) return std::nullopt;
      bool nullable = true;
      if (TakeWord("NOT")) {
        if (!TakeWord("NULL")) return std::nullopt;
        nullable = false;
      } else {
        TakeWord("NULL");
      }
      fields.push_back({*name, *type, nullable});
    } while (Take(','));
    if (!Take(close)) return std::nullopt;
    return Type::Struct(std::move(fields));
  }

  std::string_view text_;
  size_t pos_ = 0;
};

}  // namespace

std::optional<Type> ParseTypeName(std::string_view text) { return TypeNameReader(text).ReadAll(); }

}  // namespace laminar
