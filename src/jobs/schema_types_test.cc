#include "jobs/schema_types.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.h"

namespace laminar {
namespace {

std::string Parsed(const char* json) {
  const auto type = ParseSchemaType(nlohmann::json::parse(json));
  return type ? type->ToString() : "none";
}

TEST(SchemaTypes, Spellings) {
  EXPECT_EQ(Parsed(R"("bigint")"), "BIGINT");
  EXPECT_EQ(Parsed(R"({"primitive":"UInt8"})"), "TINYINT UNSIGNED");
  EXPECT_EQ(Parsed(R"({"type":{"primitive":"Utf8"}})"), "TEXT");
  EXPECT_EQ(Parsed(R"({"type":"list","items":"int64"})"), Parsed(R"("BIGINT[]")"));
  EXPECT_EQ(Parsed(R"("STRUCT<a:INT,b:STRING>")"), Parsed(R"("STRUCT<a INT, b TEXT>")"));
  EXPECT_EQ(Parsed(R"({"struct":{"fields":[{"name":"a","type":"int32"}]}})"), Parsed(R"("STRUCT<a INT>")"));
  EXPECT_EQ(Parsed(R"("river")"), "none");
  EXPECT_EQ(Parsed("7"), "none");
  EXPECT_EQ(Parsed(R"({"type":"decimal","precision":99})"), "none");
}

TEST(SchemaTypes, Definitions) {
  const auto fields = DefinitionFields("avro_schema", R"({"type":"record","name":"r","fields":[
      {"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"tags","type":{"type":"array","items":"string"}}]})");
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields[0].type.ToString(), Type::Timestamp(3).ToString());
  EXPECT_FALSE(fields[0].nullable);
  EXPECT_THROW(DefinitionFields("avro_schema", "{"), UserError);
  EXPECT_THROW(DefinitionFields("avro_schema", R"({"type":"record","fields":7})"), UserError);
  EXPECT_THROW(DefinitionFields("river_schema", "{}"), UserError);
}

}  // namespace
}  // namespace laminar
