#include <gtest/gtest.h>

#include "sql/parser.h"

namespace laminar::sql {
namespace {

Statement ParseOne(const std::string& text) {
  ParsedScript parsed = ParseScript(text);
  for (const UserError& error : parsed.errors) ADD_FAILURE() << RenderError(error, "statement", text);
  if (parsed.statements.size() != 1) {
    ADD_FAILURE() << parsed.statements.size() << " statements in " << text;
    return {};
  }
  return std::move(parsed.statements[0]);
}

TEST(CreateTable, Columns) {
  const Statement table = ParseOne(R"(CREATE TABLE IF NOT EXISTS k (
      id BIGINT NOT NULL, name TEXT NULL PRIMARY KEY, a INT METADATA, b TIMESTAMP(3) METADATA FROM 'timestamp' VIRTUAL,
      c INT GENERATED ALWAYS AS (metadata('partition')) STORED, d TEXT GENERATED ALWAYS AS (upper(name)) VIRTUAL,
      e AS id + 1, f INT AS (id * 2) COMMENT 'twice', g DECIMAL(10,2) UNIQUE, PRIMARY KEY (id, "Name") NOT ENFORCED,
      UNIQUE (id), CONSTRAINT u UNIQUE (name), WATERMARK FOR b AS (b - INTERVAL '5' SECOND)))");
  EXPECT_EQ(table.kind, StatementKind::kCreateTable);
  EXPECT_TRUE(table.if_not_exists);
  EXPECT_TRUE(table.has_columns);
  EXPECT_FALSE(table.has_options);
  ASSERT_EQ(table.columns.size(), 9u);
  EXPECT_TRUE(table.columns[0].not_null);
  EXPECT_TRUE(table.columns[1].primary_key);
  EXPECT_TRUE(table.columns[2].metadata);
  EXPECT_EQ(table.columns[2].metadata_key, "");
  EXPECT_EQ(table.columns[3].metadata_key, "timestamp");
  EXPECT_TRUE(table.columns[3].virtual_column);
  EXPECT_TRUE(table.columns[4].metadata);
  EXPECT_EQ(table.columns[4].metadata_key, "partition");
  EXPECT_EQ(table.columns[4].computed, nullptr);
  EXPECT_EQ(ToString(*table.columns[5].computed), "upper(name)");
  EXPECT_TRUE(table.columns[5].virtual_column);
  EXPECT_FALSE(table.columns[6].type.has_value());
  EXPECT_EQ(ToString(*table.columns[6].computed), "(id + 1)");
  EXPECT_EQ(*table.columns[7].type, Type::Int32());
  EXPECT_EQ(table.columns[7].comment, "twice");
  EXPECT_EQ(*table.columns[8].type, Type::Decimal(10, 2));
  ASSERT_EQ(table.primary_key.size(), 2u);
  EXPECT_TRUE(table.primary_key[1].quoted);
  ASSERT_EQ(table.watermarks.size(), 1u);
  EXPECT_EQ(table.watermarks[0].column.text, "b");
  EXPECT_EQ(ToString(*table.watermarks[0].expr), "(b - INTERVAL '5 seconds')");
}

TEST(CreateTable, ColumnsNamedLikeClauses) {
  const Statement table = ParseOne(
      "CREATE TABLE t (primary INT, watermark INT, unique INT, metadata INT, timestamp TIMESTAMP, key INT, "
      "end INT, WATERMARK FOR timestamp)");
  EXPECT_EQ(table.columns.size(), 7u);
  EXPECT_EQ(table.watermarks.size(), 1u);
  EXPECT_EQ(table.watermarks[0].expr, nullptr);
}

TEST(CreateTable, OptionsAndQuery) {
  const Statement sink = ParseOne(
      "CREATE TEMPORARY TABLE t WITH (connector = 'x') PARTITIONED BY (a, date_trunc('day', b)) AS SELECT a "
      "FROM s");
  EXPECT_TRUE(sink.temporary);
  EXPECT_FALSE(sink.has_columns);
  EXPECT_TRUE(sink.has_options);
  EXPECT_EQ(sink.partitioned_by.size(), 2u);
  EXPECT_NE(sink.query, nullptr);
  EXPECT_EQ(ParseOne("CREATE TABLE t (a INT) PARTITIONED BY (a) WITH (x = 'y')").options.size(), 1u);
  EXPECT_NE(ParseOne("CREATE TABLE t AS (SELECT a FROM s)").query, nullptr);
}

TEST(CreateView, NamesAndReplace) {
  const Statement view = ParseOne("CREATE OR REPLACE VIEW v (a, b) AS (SELECT 1, 2)");
  EXPECT_EQ(view.kind, StatementKind::kCreateView);
  EXPECT_TRUE(view.or_replace);
  EXPECT_EQ(view.column_list.size(), 2u);
  EXPECT_NE(view.query, nullptr);
}

TEST(CreatePipeline, HoldsOneStatement) {
  const Statement pipeline = ParseOne(
      "CREATE PIPELINE IF NOT EXISTS p WITH (parallelism = 2, checkpoint_interval = INTERVAL '10' SECOND) AS "
      "INSERT INTO t SELECT 1");
  EXPECT_EQ(pipeline.kind, StatementKind::kCreatePipeline);
  EXPECT_EQ(pipeline.name.text, "p");
  EXPECT_EQ(pipeline.options[1].value, "10000000 microseconds");
  ASSERT_NE(pipeline.inner, nullptr);
  EXPECT_EQ(pipeline.inner->kind, StatementKind::kInsert);
  EXPECT_EQ(ParseOne("CREATE PIPELINE p AS WITH a AS (SELECT 1) SELECT * FROM a").inner->kind,
            StatementKind::kQuery);
}

TEST(CreateFunction, BodyMayHoldSemicolons) {
  const Statement function = ParseOne(
      "CREATE FUNCTION f(a INT, b TEXT[] NOT NULL) RETURNS MAP<TEXT, INT> LANGUAGE Rust AS $body$ a; $$ b; "
      "$body$;");
  EXPECT_EQ(function.kind, StatementKind::kCreateFunction);
  EXPECT_EQ(function.columns.size(), 2u);
  EXPECT_EQ(function.object_kind, "rust");
  EXPECT_EQ(function.value, " a; $$ b; ");
  EXPECT_EQ(function.body_offset, 90);
  EXPECT_EQ(ParseOne("CREATE OR REPLACE FUNCTION g() AS 1 + 2").value, "1 + 2");
}

TEST(CreateFunction, Clauses) {
  const Statement function = ParseOne(
      "CREATE OR REPLACE FUNCTION f(a INT NOT NULL, b TEXT) RETURNS DECIMAL(5,2) STRICT AS a + 1 LANGUAGE "
      "sql "
      "VOLATILE");
  EXPECT_TRUE(function.or_replace);
  EXPECT_TRUE(function.columns[0].not_null);
  EXPECT_FALSE(function.columns[1].not_null);
  EXPECT_EQ(function.returns, Type::Decimal(5, 2));
  EXPECT_EQ(function.object_kind, "sql");
  EXPECT_EQ(function.volatility, "volatile");
  EXPECT_TRUE(function.strict);
  EXPECT_EQ(function.value, "a + 1");
  const Statement bare = ParseOne("CREATE FUNCTION IF NOT EXISTS f() RETURN 1");
  EXPECT_TRUE(bare.if_not_exists);
  EXPECT_FALSE(bare.returns.has_value());
  EXPECT_EQ(bare.object_kind, "");
}

TEST(CreateFunction, PlaceOfTheBody) {
  const std::pair<const char*, int64_t> cases[] = {
      {"CREATE FUNCTION f() AS 1", 23},    {"CREATE FUNCTION f() AS $$1$$", 25},
      {"CREATE FUNCTION f() AS '1'", 24},  {"CREATE FUNCTION f() AS '''1'''", -1},
      {"CREATE FUNCTION f() AS E'1'", -1},
  };
  for (const auto& [text, offset] : cases) EXPECT_EQ(ParseOne(text).body_offset, offset) << text;
}

TEST(Insert, Forms) {
  const Statement insert = ParseOne("INSERT INTO t (a, b) SELECT 1, 2");
  EXPECT_EQ(insert.kind, StatementKind::kInsert);
  EXPECT_EQ(insert.name.text, "t");
  EXPECT_EQ(insert.column_list.size(), 2u);
  EXPECT_EQ(ParseOne("INSERT INTO t VALUES (1), (2)").query->values.size(), 2u);
  EXPECT_TRUE(ParseOne("INSERT INTO t (SELECT 1)").column_list.empty());
  EXPECT_EQ(ParseOne("INSERT INTO t (a) (SELECT 1) UNION ALL SELECT 2").column_list.size(), 1u);
  EXPECT_EQ(ParseOne("INSERT INTO \"T x\" WITH a AS (SELECT 1) SELECT * FROM a").name.text, "T x");
}

TEST(Settings, SetAndReset) {
  const std::pair<const char*, std::pair<const char*, const char*>> cases[] = {
      {"SET updating_ttl = INTERVAL '1' DAY", {"updating_ttl", "86400000000 microseconds"}},
      {"SET 'a.b' = 'x'", {"a.b", "x"}},
      {"SET a.b = 5", {"a.b", "5"}},
      {"SET a TO true", {"a", "true"}},
      {"SET timezone = UTC", {"timezone", "UTC"}},
  };
  for (const auto& [text, expected] : cases) {
    const Statement set = ParseOne(text);
    EXPECT_EQ(set.kind, StatementKind::kSet);
    EXPECT_FALSE(set.flag);
    EXPECT_EQ(set.name.text, expected.first);
    EXPECT_EQ(set.value, expected.second);
  }
  EXPECT_TRUE(ParseOne("RESET updating_ttl").flag);
}

TEST(Settings, OptionIntervalsHaveAFixedLength) {
  const ParsedScript parsed = ParseScript("SET a = INTERVAL '1' MONTH");
  ASSERT_EQ(parsed.errors.size(), 1u);
  EXPECT_EQ(parsed.errors[0].reason(), Reason::kBadInterval);
}

TEST(Explain, Modes) {
  EXPECT_EQ(ParseOne("EXPLAIN SELECT 1").explain_mode, ExplainMode::kText);
  EXPECT_EQ(ParseOne("EXPLAIN VERBOSE SELECT 1").explain_mode, ExplainMode::kVerbose);
  EXPECT_EQ(ParseOne("EXPLAIN JSON INSERT INTO t SELECT 1").explain_mode, ExplainMode::kJson);
  EXPECT_EQ(ParseOne("EXPLAIN (FORMAT JSON) SELECT 1").explain_mode, ExplainMode::kJson);
  EXPECT_EQ(ParseOne("EXPLAIN (SELECT 1)").inner->kind, StatementKind::kQuery);
}

TEST(Objects, DropShowDescribe) {
  const Statement drop = ParseOne("DROP PIPELINE IF EXISTS p");
  EXPECT_EQ(drop.kind, StatementKind::kDrop);
  EXPECT_EQ(drop.object_kind, "pipeline");
  EXPECT_TRUE(drop.flag);
  EXPECT_EQ(ParseOne("SHOW CONNECTORS").object_kind, "connector");
  EXPECT_EQ(ParseOne("SHOW CREATE TABLE t").object_kind, "create table");
  EXPECT_EQ(ParseOne("DESC t").name.text, "t");
  const Statement stop = ParseOne("STOP PIPELINE p WITH immediate");
  EXPECT_EQ(stop.kind, StatementKind::kOther);
  EXPECT_EQ(stop.name.text, "STOP");
  EXPECT_EQ(stop.value, "p");
  EXPECT_EQ(stop.options[0].value, "immediate");
}

TEST(Refused, StatementsKeepTheirWord) {
  for (const char* word :
       {"UPDATE", "DELETE", "MERGE", "BEGIN", "COMMIT", "ROLLBACK", "ALTER", "TRUNCATE", "USE"}) {
    const Statement statement = ParseOne(std::string(word) + " whatever (comes, here)");
    EXPECT_EQ(statement.kind, StatementKind::kOther);
    EXPECT_EQ(statement.name.text, word);
  }
  EXPECT_EQ(ParseOne("start transaction").name.text, "START");
}

TEST(Script, SemicolonsAndComments) {
  const ParsedScript parsed =
      ParseScript("--pk=id\n;; SELECT 1; -- one\n/* two; */ SELECT 2 ;\n\n;SELECT ';' -- last");
  EXPECT_TRUE(parsed.errors.empty());
  EXPECT_EQ(parsed.statements.size(), 3u);
}

TEST(Script, SeveralWatermarksAreTheBindersError) {
  EXPECT_EQ(ParseOne("CREATE TABLE t (a TIMESTAMP, WATERMARK FOR a, WATERMARK FOR a)").watermarks.size(), 2u);
}

}  // namespace
}  // namespace laminar::sql
