#include "api/schema_check.h"

#include <gtest/gtest.h>

#include "api/api_error.h"
#include "api/endpoint.h"
#include "api/schemas.h"

namespace laminar::api {
namespace {

Json Checked(const char* schema, const char* body) {
  return CheckBody(ParseBody(body), Schemas().at(schema), nullptr);
}

std::string FieldOfError(const char* schema, const char* body) {
  try {
    Checked(schema, body);
  } catch (const ApiError& error) {
    return error.details()["field"].get<std::string>();
  }
  return "none";
}

TEST(SchemaCheck, KeysInAnySpelling) {
  EXPECT_EQ(Checked("PipelinePatch", R"({"checkpointIntervalMicros": 2000000, "env-vars": {"A_b": "c"}})"),
            (Json{{"checkpoint_interval_micros", 2000000}, {"env_vars", {{"A_b", "c"}}}}));
  EXPECT_EQ(FieldOfError("PipelinePatch", R"({"env_vars": {}, "envVars": {}})"), "env_vars");
}

TEST(SchemaCheck, NamesTheField) {
  EXPECT_EQ(
      FieldOfError("TableCreate",
                   R"({"name": "t", "config": {}, "schema": {"fields": [{"name": "a"}, {"type": "INT"}]}})"),
      "schema.fields[1].name");
  EXPECT_EQ(FieldOfError("PipelineCreate", R"({"query": "q", "parallelism": 0})"), "parallelism");
  EXPECT_EQ(FieldOfError("PipelineCreate", R"({"query": "q", "tags": {"a": 1}})"), "tags.a");
  EXPECT_EQ(FieldOfError("Stop", R"({"mode": "gently"})"), "mode");
  EXPECT_EQ(FieldOfError("Stop", R"({"mode": "Immediate"})"), "none");
}

TEST(SchemaCheck, BodiesThatAreNoJson) {
  for (const char* bad : {"", "{", "{\"a\": \xff}", "{} {}"}) EXPECT_THROW(ParseBody(bad), ApiError) << bad;
  EXPECT_THROW(ParseBody(std::string(100, '[')), ApiError);
  EXPECT_NO_THROW(ParseBody("{ // comment [[[\n \"a\": \"[[[\" /* } */ }"));
}

TEST(Wildcards, OnlyStarAndQuestionMark) {
  EXPECT_TRUE(MatchesWildcard("AL*a", "alpha"));
  EXPECT_TRUE(MatchesWildcard("a?pha", "ALPHA"));
  EXPECT_FALSE(MatchesWildcard("[a]*", "alpha"));
}

TEST(TimeText, IsRfc3339) { EXPECT_EQ(TimeText(1'700'000'000'123'456), "2023-11-14T22:13:20.123456Z"); }

}  // namespace
}  // namespace laminar::api
