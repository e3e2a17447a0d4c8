#include <array>

#include "sql/parser_internal.h"
#include "sql/parser_interval.h"

/// Type names with all their spellings.

namespace laminar::sql {
namespace {

struct SimpleType {
  std::string_view word;
  Type (*make)();
};

/// Types without arguments, or with a length that means nothing here: VARCHAR(20), INT(11).
const std::array<SimpleType, 42> kSimpleTypes = {{
    {"BOOLEAN", &Type::Boolean},
    {"BOOL", &Type::Boolean},
    {"TINYINT", &Type::Int8},
    {"INT1", &Type::Int8},
    {"SMALLINT", &Type::Int16},
    {"INT2", &Type::Int16},
    {"INT", &Type::Int32},
    {"INTEGER", &Type::Int32},
    {"INT4", &Type::Int32},
    {"BIGINT", &Type::Int64},
    {"INT8", &Type::Int64},
    {"UTINYINT", &Type::UInt8},
    {"USMALLINT", &Type::UInt16},
    {"UINTEGER", &Type::UInt32},
    {"UBIGINT", &Type::UInt64},
    {"REAL", &Type::Float},
    {"FLOAT4", &Type::Float},
    {"DOUBLE", &Type::Double},
    {"FLOAT8", &Type::Double},
    {"TEXT", &Type::Text},
    {"STRING", &Type::Text},
    {"VARCHAR", &Type::Text},
    {"CHAR", &Type::Text},
    {"CHARACTER", &Type::Text},
    {"NVARCHAR", &Type::Text},
    {"BPCHAR", &Type::Text},
    {"UUID", &Type::Text},
    {"CLOB", &Type::Text},
    {"BYTEA", &Type::Bytes},
    {"BINARY", &Type::Bytes},
    {"VARBINARY", &Type::Bytes},
    {"BYTES", &Type::Bytes},
    {"BLOB", &Type::Bytes},
    {"DATE", &Type::Date},
    {"JSON", &Type::Json},
    {"JSONB", &Type::Json},
    {"TIMESTAMPTZ", &Type::TimestampTz},
    {"TIMESTAMP_LTZ", &Type::TimestampTz},
    {"TIME", &Type::Time},
    {"INTERVAL", &Type::Interval},
    {"UINT", &Type::UInt32},
    {"LONG", &Type::Int64},
}};

const std::vector<std::string>& TypeWords() {
  static const std::vector<std::string> words = [] {
    // The first of two equally near ones is suggested: usual names first.
    std::vector<std::string> all = {"INT",   "BIGINT",  "TEXT",    "DOUBLE", "BOOLEAN",   "VARCHAR",
                                    "FLOAT", "DECIMAL", "NUMERIC", "DEC",    "TIMESTAMP", "DATETIME",
                                    "ARRAY", "LIST",    "MAP",     "STRUCT", "ROW"};
    for (const SimpleType& type : kSimpleTypes) all.emplace_back(type.word);
    return all;
  }();
  return words;
}

std::optional<Type> UnsignedOf(const Type& type) {
  switch (type.id()) {
    case TypeId::kInt8:
      return Type::UInt8();
    case TypeId::kInt16:
      return Type::UInt16();
    case TypeId::kInt32:
      return Type::UInt32();
    case TypeId::kInt64:
      return Type::UInt64();
    default:
      return std::nullopt;
  }
}

}  // namespace

/// A type with its suffixes: T[], T ARRAY.
Type Parser::ParseType() {
  const Nesting nesting(*this);
  const Chain chain(*this);
  Type type = ParseTypeBase();
  while (true) {
    const bool sized =
        At("[") && Peek(1).kind == TokenKind::kNumber && At("]", 2);  // INT[3]: the size means nothing
    if (At("[") && (At("]", 1) || sized)) {
      Open("[");
      if (sized) Advance();
      Close("]");
    } else if (At("ARRAY")) {
      Advance();
    } else if (At("MULTISET")) {
      Unsupported(Peek().span, "type MULTISET is not supported", "use an ARRAY");
    } else {
      return type;
    }
    LowerTree();
    type = Type::Array(std::move(type));
  }
}

Type Parser::ParseTypeBase() {
  if (Peek().kind != TokenKind::kWord) Fail("a type");
  const std::string word = Peek().text;
  if (AtAny({"DECIMAL", "NUMERIC", "DEC"})) return ParseDecimalType();
  if (AtAny({"TIMESTAMP", "TIMESTAMP_LTZ", "TIMESTAMPTZ", "TIMESTAMP_NTZ", "DATETIME", "TIME"}))
    return ParseTimestampType(word);
  if (AtAny({"ARRAY", "LIST", "MAP", "STRUCT", "ROW"})) return ParseNestedType(word);
  if (AtAny({"HUGEINT", "ENUM", "MULTISET", "XML", "GEOMETRY", "GEOGRAPHY", "UNION", "VARIANT", "SERIAL",
             "BIGSERIAL", "MONEY", "BIT"})) {
    Unsupported(Peek().span, "type " + word + " is not supported");
  }
  if (At("FLOAT")) {
    Advance();
    return TakePrecision(53).value_or(1) > 24 ? Type::Double() : Type::Float();
  }
  for (const SimpleType& simple : kSimpleTypes) {
    if (simple.word == word) return ParseNumericType(word);
  }
  if (!AtName()) Fail("a type");
  const std::string nearest = NearestName(word, TypeWords());
  FailAt(Peek().span, "unknown type '" + Written(Peek()).substr(0, 40) + "'",
         nearest.empty() ? "" : "did you mean " + nearest + "?");
}

/// One of kSimpleTypes with what may follow its word.
Type Parser::ParseNumericType(std::string_view word) {
  Type type;
  for (const SimpleType& simple : kSimpleTypes) {
    if (simple.word == word) type = simple.make();
  }
  Advance();
  if (word == "DOUBLE" && At("PRECISION")) Advance();
  if ((word == "CHAR" || word == "CHARACTER" || word == "BINARY") && At("VARYING")) Advance();
  if (type.id() == TypeId::kInterval) {
    SkipIntervalQualifier();
  } else {
    SkipLength();
  }
  if (At("UNSIGNED")) {
    const auto unsigned_type = UnsignedOf(type);
    if (!unsigned_type)
      FailAt(Peek().span, "UNSIGNED goes with integer types only, not with " + type.ToString());
    Advance();
    return *unsigned_type;
  }
  return type;
}

Type Parser::ParseDecimalType() {
  Advance();
  if (!TakeOpen("(")) return Type::Decimal(38, 10);
  const SourceSpan span = Peek().span;
  const int precision = ParseSmallNumber("the precision of DECIMAL", 38);
  if (precision == 0) FailAt(span, "the precision of DECIMAL must be from 1 to 38, not 0");
  int scale = 0;
  if (Take(",")) {
    const SourceSpan scale_span = Peek().span;
    scale = ParseSmallNumber("the scale of DECIMAL", 38);
    if (scale > precision) {
      FailAt(scale_span, "the scale of DECIMAL(" + std::to_string(precision) + "," + std::to_string(scale) +
                             ") exceeds its precision");
    }
  }
  Close(")");
  return Type::Decimal(precision, scale);
}

Type Parser::ParseTimestampType(std::string_view word) {
  Advance();
  const SourceSpan span = Peek(1).span;
  const int precision = TakePrecision(9).value_or(6);
  const bool zone = TakeTimeZone();
  if (word == "TIME") {
    if (zone) Unsupported(span, "TIME WITH TIME ZONE is not supported", "use TIME");
    return Type::Time();
  }
  if (zone || word == "TIMESTAMP_LTZ" || word == "TIMESTAMPTZ") return Type::TimestampTz();
  if (precision != 0 && precision != 3 && precision != 6 && precision != 9) {
    FailAt(span, "the precision of TIMESTAMP is 0, 3, 6 or 9, not " + std::to_string(precision));
  }
  return Type::Timestamp(precision);
}

/// WITH [LOCAL] TIME ZONE: true. WITHOUT TIME ZONE: false.
bool Parser::TakeTimeZone() {
  const bool with = At("WITH");
  if (!with && !At("WITHOUT")) return false;
  const size_t time = At("LOCAL", 1) ? 2 : 1;
  if (!At("TIME", time))
    return false;  // CREATE TABLE … (ts TIMESTAMP) WITH (…) has a bracket before, but be sure
  for (size_t i = 0; i <= time; ++i) Advance();
  Expect("ZONE");
  return with;
}

/// ARRAY<T>, ARRAY(T), LIST<T>, MAP<K, V>, STRUCT<a T, b: U>, ROW(a T): angle or round brackets alike.
Type Parser::ParseNestedType(std::string_view word) {
  Advance();
  if (!At("(") && !At("<")) Fail("the type inside, in <…>");
  if (word == "STRUCT" || word == "ROW") return ParseStructType();
  const bool round = At("(");
  if (round) {
    Open("(");
  } else {
    Advance();
  }
  Type first = ParseType();
  TakeTypeNullability();
  std::optional<Type> second;
  if (word == "MAP") {
    Expect(",");
    second = ParseType();
    TakeTypeNullability();
  }
  if (round) {
    Close(")");
  } else {
    TakeAngle();
  }
  return second ? Type::Map(std::move(first), std::move(*second)) : Type::Array(std::move(first));
}

Type Parser::ParseStructType() {
  const bool round = At("(");
  if (round) {
    Open("(");
  } else {
    Advance();
  }
  std::vector<Field> fields;
  ParseList([&] {
    Field field;
    field.name = ParseAnyName("a field name").text;
    if (At(":")) Advance();
    field.type = ParseType();
    field.nullable = TakeTypeNullability();
    if (Take("COMMENT")) ParseString("a comment in quotes");
    fields.push_back(std::move(field));
  });
  if (round) {
    Close(")");
  } else {
    TakeAngle();
  }
  return Type::Struct(std::move(fields));
}

/// NOT NULL or NULL inside a type; false for NOT NULL.
bool Parser::TakeTypeNullability() {
  if (Take("NOT", "NULL")) return false;
  Take("NULL");
  return true;
}

/// `>`, or the first character of `>>`, `>=`: ARRAY<ARRAY<INT>> ends in one token.
void Parser::TakeAngle() {
  Token& token = list_.tokens[pos_];
  if (token.kind == TokenKind::kSymbol && token.text.size() > 1 && token.text[0] == '>') {
    token.text.erase(0, 1);
    ++token.span.offset;
    --token.span.length;
    last_end_ = token.span.offset;
    expected_.clear();
    return;
  }
  Expect(">");
}

std::optional<int> Parser::TakePrecision(int max) {
  if (!TakeOpen("(")) return std::nullopt;
  const int value = ParseSmallNumber("the precision", max);
  Close(")");
  return value;
}

/// INTERVAL DAY TO SECOND(3): one type for all. A single unit may be an alias (x::INTERVAL day), so it must
/// end here.
void Parser::SkipIntervalQualifier() {
  auto at_unit = [this] { return Peek().kind == TokenKind::kWord && IsLongIntervalUnit(Peek().text); };
  if (!at_unit() || !(AtAny({"TO", "(", ")", ",", "NOT"}, 1))) return;
  Advance();
  TakePrecision(9);
  if (!Take("TO")) return;
  if (!at_unit()) Fail("a unit such as SECOND");
  Advance();
  TakePrecision(9);
}

void Parser::SkipLength() {
  if (!At("(") || (Peek(1).kind != TokenKind::kNumber && !At("MAX", 1))) return;
  Open("(");
  Advance();
  Close(")");
}

}  // namespace laminar::sql
