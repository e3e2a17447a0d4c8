#pragma once

/// SQL types (spec: docs/sql.md "Types"). A `Type` is what the user sees; `arrow_type()` is how its values
/// lie in memory. The two differ only for JSON (Utf8 in memory) and for TIMESTAMP(0|3|6) (all microseconds),
/// so operators work on plain Arrow arrays and only the edges (formats, casts, printing) look at the `Type`.

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

enum class TypeId {
  kNull,  ///< type of a bare NULL literal; becomes any other type
  kBoolean,
  kInt8,
  kInt16,
  kInt32,
  kInt64,
  kUInt8,
  kUInt16,
  kUInt32,
  kUInt64,
  kFloat,
  kDouble,
  kDecimal,  ///< Decimal128(precision ≤ 38, scale)
  kText,
  kBytes,
  kDate,         ///< Date32
  kTime,         ///< Time64(ns)
  kTimestamp,    ///< no zone, read as UTC; µs in memory for precision 0, 3, 6 and ns for 9
  kTimestampTz,  ///< Timestamp(µs, "UTC")
  kInterval,     ///< MonthDayNano
  kJson,         ///< Utf8 holding one valid JSON text
  kArray,
  kMap,
  kStruct,
};

class Type;

/// A named part of a STRUCT, or a column of a schema.
struct Field;

class Type {
 public:
  Type() : id_(TypeId::kNull) {}

  static Type Null() { return Type(TypeId::kNull); }
  static Type Boolean() { return Type(TypeId::kBoolean); }
  static Type Int8() { return Type(TypeId::kInt8); }
  static Type Int16() { return Type(TypeId::kInt16); }
  static Type Int32() { return Type(TypeId::kInt32); }
  static Type Int64() { return Type(TypeId::kInt64); }
  static Type UInt8() { return Type(TypeId::kUInt8); }
  static Type UInt16() { return Type(TypeId::kUInt16); }
  static Type UInt32() { return Type(TypeId::kUInt32); }
  static Type UInt64() { return Type(TypeId::kUInt64); }
  static Type Float() { return Type(TypeId::kFloat); }
  static Type Double() { return Type(TypeId::kDouble); }
  static Type Decimal(int precision, int scale);
  static Type Text() { return Type(TypeId::kText); }
  static Type Bytes() { return Type(TypeId::kBytes); }
  static Type Date() { return Type(TypeId::kDate); }
  static Type Time() { return Type(TypeId::kTime); }
  /// `precision` is 0, 3, 6 or 9.
  static Type Timestamp(int precision = 6);
  static Type TimestampTz() { return Type(TypeId::kTimestampTz); }
  static Type Interval() { return Type(TypeId::kInterval); }
  static Type Json() { return Type(TypeId::kJson); }
  static Type Array(Type element);
  static Type Map(Type key, Type value);
  static Type Struct(std::vector<Field> fields);
  /// The window value: STRUCT<start TIMESTAMP, end TIMESTAMP>.
  static Type Window();

  TypeId id() const { return id_; }
  /// DECIMAL: total digits. TIMESTAMP: 0, 3, 6 or 9. Otherwise 0.
  int precision() const { return precision_; }
  int scale() const { return scale_; }  ///< DECIMAL only
  /// ARRAY: the element. MAP: the value.
  const Type& element() const;
  const Type& key() const;  ///< MAP only
  const std::vector<Field>& fields() const;
  /// Index of a STRUCT field: exact name first, then ignoring case; −1 when there is none.
  int FieldIndex(std::string_view name) const;

  bool is_null() const { return id_ == TypeId::kNull; }
  bool is_integer() const { return id_ >= TypeId::kInt8 && id_ <= TypeId::kUInt64; }
  bool is_signed_integer() const { return id_ >= TypeId::kInt8 && id_ <= TypeId::kInt64; }
  bool is_unsigned_integer() const { return id_ >= TypeId::kUInt8 && id_ <= TypeId::kUInt64; }
  bool is_floating() const { return id_ == TypeId::kFloat || id_ == TypeId::kDouble; }
  bool is_numeric() const { return id_ >= TypeId::kInt8 && id_ <= TypeId::kDecimal; }
  bool is_timestamp() const { return id_ == TypeId::kTimestamp || id_ == TypeId::kTimestampTz; }
  bool is_temporal() const { return id_ >= TypeId::kDate && id_ <= TypeId::kTimestampTz; }
  bool is_nested() const { return id_ >= TypeId::kArray; }
  bool is_window() const;

  /// How the values lie in memory.
  std::shared_ptr<arrow::DataType> arrow_type() const;
  /// SQL spelling that parses back to the same type, e.g. `STRUCT<a BIGINT, b TEXT[]>`.
  std::string ToString() const;
  /// The type whose arrays have this Arrow type; nullopt where SQL has none. Utf8 gives TEXT, never JSON.
  static std::optional<Type> FromArrow(const arrow::DataType& type);

  friend bool operator==(const Type& a, const Type& b);
  friend bool operator!=(const Type& a, const Type& b) { return !(a == b); }

 private:
  explicit Type(TypeId id) : id_(id) {}

  TypeId id_;
  int8_t precision_ = 0;
  int8_t scale_ = 0;
  std::shared_ptr<const std::vector<Field>> children_;  // ARRAY: [element]; MAP: [key, value]; STRUCT: fields
};

struct Field {
  std::string name;
  Type type;
  bool nullable = true;
  friend bool operator==(const Field&, const Field&) = default;
};

/// Columns in order. Names may repeat inside a plan; they are unique at connectors and sinks.
struct Schema {
  std::vector<Field> fields;

  int num_columns() const { return static_cast<int>(fields.size()); }
  /// Exact name first, then ignoring case; −1 when there is none.
  int IndexOf(std::string_view name) const;
  std::shared_ptr<arrow::Schema> arrow_schema() const;
  std::string ToString() const;
  friend bool operator==(const Schema&, const Schema&) = default;
};

/// The type that both can be read as without loss of meaning (int + DOUBLE → DOUBLE, INT + BIGINT → BIGINT,
/// int + DECIMAL → DECIMAL, signed + unsigned → wider signed, DATE + TIMESTAMP → TIMESTAMP, NULL + T → T,
/// element-wise for ARRAY, MAP and STRUCT); nullopt when there is none. For set operations, CASE and
/// comparison.
std::optional<Type> CommonType(const Type& a, const Type& b);

/// Parses a SQL type name: `BIGINT UNSIGNED`, `DECIMAL(10,2)`, `MAP<TEXT, INT[]>` … nullopt when it is not
/// one. (The SQL parser is the real one; this serves options, schemas from the API and tests.)
std::optional<Type> ParseTypeName(std::string_view text);

/// True when ASCII-equal ignoring case.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

}  // namespace laminar
