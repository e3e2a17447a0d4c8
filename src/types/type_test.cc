#include "types/type.h"

#include <arrow/type.h>
#include <gtest/gtest.h>

namespace laminar {
namespace {

std::vector<Type> Samples() {
  return {Type::Boolean(),
          Type::Int8(),
          Type::Int16(),
          Type::Int32(),
          Type::Int64(),
          Type::UInt8(),
          Type::UInt16(),
          Type::UInt32(),
          Type::UInt64(),
          Type::Float(),
          Type::Double(),
          Type::Decimal(38, 10),
          Type::Decimal(5, 0),
          Type::Text(),
          Type::Bytes(),
          Type::Date(),
          Type::Time(),
          Type::Timestamp(),
          Type::Timestamp(0),
          Type::Timestamp(3),
          Type::Timestamp(9),
          Type::TimestampTz(),
          Type::Interval(),
          Type::Json(),
          Type::Array(Type::Array(Type::Text())),
          Type::Map(Type::Text(), Type::Array(Type::Int32())),
          Type::Window(),
          Type::Struct({{"a b", Type::Int64(), false},
                        {"select", Type::Struct({{"x\"y", Type::Double(), true}}), true}})};
}

TEST(TypeTest, NamesParseBackToTheSameType) {
  for (const Type& type : Samples()) {
    const auto parsed = ParseTypeName(type.ToString());
    ASSERT_TRUE(parsed) << type.ToString();
    EXPECT_EQ(*parsed, type) << type.ToString();
  }
}

TEST(TypeTest, ArrowTypesComeBackAsWhatTheyLookLike) {
  for (const Type& type : Samples()) {
    const auto back = Type::FromArrow(*type.arrow_type());
    ASSERT_TRUE(back) << type.ToString();
    EXPECT_TRUE(back->arrow_type()->Equals(*type.arrow_type())) << type.ToString();
  }
  EXPECT_EQ(*Type::FromArrow(*arrow::utf8()), Type::Text());
  EXPECT_EQ(*Type::FromArrow(*arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")), Type::TimestampTz());
}

TEST(TypeTest, SpellingsOfOneType) {
  const std::vector<std::pair<const char*, Type>> spellings = {
      {"int", Type::Int32()},
      {"INTEGER", Type::Int32()},
      {"int4", Type::Int32()},
      {"int8", Type::Int64()},
      {"bigint unsigned", Type::UInt64()},
      {"real", Type::Float()},
      {"double precision", Type::Double()},
      {"FLOAT8", Type::Double()},
      {"decimal", Type::Decimal(38, 10)},
      {"numeric(12)", Type::Decimal(12, 0)},
      {"dec( 12 , 3 )", Type::Decimal(12, 3)},
      {"varchar(20)", Type::Text()},
      {"string", Type::Text()},
      {"blob", Type::Bytes()},
      {"datetime", Type::Timestamp()},
      {"timestamp without time zone", Type::Timestamp()},
      {"timestamp with time zone", Type::TimestampTz()},
      {"timestamp_ltz", Type::TimestampTz()},
      {"jsonb", Type::Json()},
      {"array<int>", Type::Array(Type::Int32())},
      {"ARRAY(int)", Type::Array(Type::Int32())},
      {"list<text>[]", Type::Array(Type::Array(Type::Text()))},
      {"row<a int, b: text not null>",
       Type::Struct({{"a", Type::Int32(), true}, {"b", Type::Text(), false}})},
      {"ROW(`a` int)", Type::Struct({{"a", Type::Int32(), true}})}};
  for (const auto& [text, type] : spellings) {
    const auto parsed = ParseTypeName(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(*parsed, type) << text;
  }
}

TEST(TypeTest, NoTypes) {
  for (const char* text :
       {"", "foo", "decimal(39,0)", "decimal(0)", "decimal(5,6)", "timestamp(4)", "array<int", "int[",
        "int int", "map<text>", "struct<>", "struct<a>", "row<a int", "varchar(", "timestamp with zone"}) {
    EXPECT_FALSE(ParseTypeName(text)) << text;
  }
}

TEST(TypeTest, CommonTypeLosesNoMeaning) {
  auto common = [](const char* a, const char* b) {
    const auto type = CommonType(*ParseTypeName(a), *ParseTypeName(b));
    const auto swapped = CommonType(*ParseTypeName(b), *ParseTypeName(a));
    EXPECT_EQ(type.has_value(), swapped.has_value()) << a << " " << b;
    return type ? type->ToString() : "none";
  };
  EXPECT_EQ(common("int", "bigint"), "BIGINT");
  EXPECT_EQ(common("int", "int unsigned"), "BIGINT");
  EXPECT_EQ(common("tinyint", "smallint unsigned"), "INT");
  EXPECT_EQ(common("bigint", "double"), "DOUBLE");
  EXPECT_EQ(common("float", "float"), "FLOAT");
  EXPECT_EQ(common("float", "int"), "DOUBLE");
  EXPECT_EQ(common("decimal(10,2)", "double"), "DOUBLE");
  EXPECT_EQ(common("decimal(10,2)", "decimal(8,4)"), "DECIMAL(12,4)");
  EXPECT_EQ(common("date", "timestamp"), "TIMESTAMP");
  EXPECT_EQ(common("timestamp(3)", "timestamp(9)"), "TIMESTAMP(9)");
  EXPECT_EQ(common("timestamp", "timestamptz"), "TIMESTAMPTZ");
  EXPECT_EQ(common("text", "json"), "TEXT");
  EXPECT_EQ(common("int[]", "bigint[]"), "BIGINT[]");
  EXPECT_EQ(common("text", "int"), "none");
  EXPECT_EQ(common("int[]", "int"), "none");
  EXPECT_EQ(common("struct<a int>", "struct<b bigint>"), "STRUCT<a BIGINT>");
  EXPECT_EQ(common("struct<a int>", "struct<a int, b int>"), "none");
  EXPECT_EQ(*CommonType(Type::Null(), Type::Text()), Type::Text());
}

TEST(TypeTest, FieldsByExactNameFirst) {
  const Schema schema{{{"Ab", Type::Int32()}, {"ab", Type::Text()}, {"c", Type::Date()}}};
  EXPECT_EQ(schema.IndexOf("ab"), 1);
  EXPECT_EQ(schema.IndexOf("AB"), 0);
  EXPECT_EQ(schema.IndexOf("C"), 2);
  EXPECT_EQ(schema.IndexOf("d"), -1);
  EXPECT_EQ(Type::Window().FieldIndex("END"), 1);
  EXPECT_TRUE(Type::Window().is_window());
  EXPECT_FALSE(Type::Struct({{"start", Type::Timestamp()}}).is_window());
}

TEST(TypeTest, KindsOfTypes) {
  EXPECT_TRUE(Type::UInt8().is_integer() && Type::UInt8().is_unsigned_integer() &&
              !Type::UInt8().is_signed_integer());
  EXPECT_TRUE(Type::Decimal(5, 1).is_numeric() && !Type::Decimal(5, 1).is_floating());
  EXPECT_FALSE(Type::Text().is_numeric());
  EXPECT_TRUE(Type::TimestampTz().is_timestamp() && Type::Date().is_temporal() &&
              !Type::Interval().is_temporal());
  EXPECT_TRUE(Type::Window().is_nested() && !Type::Json().is_nested());
}

}  // namespace
}  // namespace laminar
