#pragma once

/// Valid statements of every kind, for tests that need many: spans, printing and reading back, random damage.

#include <string>
#include <vector>

namespace laminar::sql {

inline const std::vector<std::string>& ValidStatements() {
  static const std::vector<std::string> statements = {
      // ---- the introductory pages
      R"(SELECT * FROM events WITH (
  connector = 'kafka',  -- Using the Kafka connector
  bootstrap_servers = 'localhost:9092',
  topic = 'user-events',
  format = 'json'
))",
      R"(CREATE PIPELINE user_analytics AS

INSERT INTO user_metrics
SELECT
  user_id,
  event_type,
  COUNT(*) as event_count,
  TUMBLE_START(timestamp, INTERVAL '1' HOUR) as window_start
FROM user_events  -- Source connection table
GROUP BY
  user_id,
  event_type,
  TUMBLE(timestamp, INTERVAL '1' HOUR))",
      R"(CREATE PIPELINE event_processor AS INSERT INTO processed_events
SELECT event_id, user_id, event_type, UPPER(event_type) as normalized_type,
  JSON_VALUE(properties, '$.amount') as amount, timestamp
FROM raw_events WHERE event_type IS NOT NULL)",

      // ---- table definitions
      "CREATE TABLE t (a INT)",
      "CREATE TABLE t (a INT NOT NULL, b TEXT NULL PRIMARY KEY, c DOUBLE PRECISION COMMENT 'it''s', UNIQUE "
      "(a))",
      "CREATE TABLE t WITH (connector = 'single_file', path = '/tmp/x', type = 'source', format = 'json')",
      "CREATE TABLE t WITH (connector = 'blackhole') AS SELECT a, b FROM s",
      "CREATE TABLE t AS (SELECT a FROM s)",
      "CREATE TABLE t AS SELECT a FROM s",
      "CREATE TEMPORARY TABLE IF NOT EXISTS dim (id BIGINT PRIMARY KEY, name TEXT) WITH ('connector' = "
      "'redis', lookup.cache.max_bytes = 1000)",
      "CREATE TABLE k (id INT, ts TIMESTAMP(3) METADATA FROM 'timestamp' VIRTUAL, p INT METADATA, "
      "part INT GENERATED ALWAYS AS (metadata('partition')), h INT GENERATED ALWAYS AS (id % 10) STORED, "
      "d TEXT GENERATED ALWAYS AS (upper(x)) VIRTUAL, e AS CASE WHEN id > 1 THEN 'a' ELSE 'b' END, f AS (id "
      "+ 1), "
      "PRIMARY KEY (id, p) NOT ENFORCED, WATERMARK FOR ts AS ts - INTERVAL '5 seconds') WITH (connector = "
      "'kafka')",
      "CREATE TABLE k (ts TIMESTAMP, WATERMARK FOR ts) WITH (connector = 'kafka')",
      "CREATE TABLE k (ts TIMESTAMP, WATERMARK FOR ts AS (ts - INTERVAL '1' MINUTE)) WITH (connector = "
      "'kafka')",
      "CREATE TABLE types (a BOOLEAN, b TINYINT UNSIGNED, c SMALLINT, d INT, e BIGINT UNSIGNED, f FLOAT, g "
      "DOUBLE, h DECIMAL(10,2), "
      "i NUMERIC(5), j DEC, k VARCHAR(20), l BYTEA, m DATE, n TIME, o TIMESTAMP(9), p TIMESTAMP WITH TIME "
      "ZONE, "
      "q TIMESTAMP_LTZ(3), r INTERVAL, s JSON, t INT[], u ARRAY<TEXT>, v MAP<TEXT, ARRAY<INT>>, "
      "w STRUCT<a INT, b: TEXT NOT NULL>, x ROW(a INT, b ROW<c TEXT>), y ARRAY<ARRAY<ARRAY<INT>>>, z INT "
      "ARRAY)",
      "CREATE TABLE t (timestamp TIMESTAMP, start INT, \"end\" INT, count INT, key TEXT, value TEXT, date "
      "DATE, `order` INT, "
      "time TIME, interval INTERVAL, primary INT, watermark INT, unique INT, first INT, last INT, left_1 "
      "INT)",
      "CREATE TABLE t (a INT) WITH (connector = kafka, n = -5, x = true, l = ['a', 'b'], i = INTERVAL '5' "
      "SECOND, e = 1.5) PARTITIONED BY (a, date_trunc('day', b))",
      "CREATE VIEW v AS SELECT 1",
      "CREATE OR REPLACE VIEW v (a, b) AS (SELECT x, y FROM t)",
      "CREATE PIPELINE IF NOT EXISTS p WITH (parallelism = 4, checkpoint_interval = INTERVAL '10' SECOND) AS "
      "SELECT * FROM t",
      "CREATE FUNCTION f(a INT, b TEXT NOT NULL) RETURNS TEXT LANGUAGE python AS $$\ndef f(a, b):\n  return "
      "'x;' + b\n$$",
      "CREATE OR REPLACE FUNCTION g(a INT) RETURNS INT LANGUAGE sql AS a + 1",

      // ---- other statements
      "INSERT INTO t VALUES (1, 'a'), (2, NULL)",
      "INSERT INTO t (a, b) SELECT 1, 2",
      "INSERT INTO t (SELECT a FROM s)",
      "INSERT INTO t WITH x AS (SELECT 1 AS a) SELECT a FROM x",
      "SET updating_ttl = INTERVAL '1' DAY",
      "SET 'parallelism' = '4'",
      "SET timezone TO 'UTC'",
      "RESET updating_ttl",
      "EXPLAIN SELECT 1",
      "EXPLAIN VERBOSE INSERT INTO t SELECT 1",
      "EXPLAIN JSON SELECT 1",
      "DROP TABLE IF EXISTS t",
      "DROP PIPELINE p",
      "SHOW TABLES",
      "SHOW CREATE TABLE t",
      "DESCRIBE t",
      "START PIPELINE p",
      "STOP PIPELINE p WITH 'graceful'",
      "UPDATE t SET a = 1 WHERE b = 'x'",
      "DELETE FROM t",
      "BEGIN",

      // ---- queries
      "SELECT 1",
      "SELECT ALL a, b AS x, c y, \"D\" \"E\", `f` FROM t",
      "SELECT DISTINCT a FROM t",
      "SELECT *, t.*, * EXCEPT (a, b), t.* EXCLUDE (c), * REPLACE (a + 1 AS a) FROM t",
      "SELECT count(*) count, end FROM t",
      "SELECT timestamp, start, end, min, max, sum, avg, rows, row_number, window, offset, partition, "
      "partitions, key, value, "
      "hour, day, minute, second, month, year, date, time, type, name, user, level, topic, status, state, "
      "format, location, "
      "method, path, sources, session, hop, tumble, text, message, data, begin, plan, first, last, interval "
      "FROM t",
      "SELECT a timestamp, b start, c end, d count, e window, f offset, g partition, h key, i value, j hour, "
      "k date, l time, "
      "m first, n last, o interval, p text, q session, r begin FROM t rows",
      "SELECT timestamp.start, window.end, s.order, s.select.from FROM window",
      "SELECT a FROM t WINDOW w AS (PARTITION BY a ORDER BY b), x AS (w ROWS UNBOUNDED PRECEDING)",
      "SELECT a FROM t OFFSET 5",
      "SELECT a offset FROM t window WHERE offset > 5 ORDER BY window LIMIT 10 OFFSET 5",
      "SELECT a FROM t ORDER BY a DESC NULLS LAST, b ASC NULLS FIRST, 3 OFFSET 1 ROWS FETCH FIRST 10 ROWS "
      "ONLY",
      "SELECT a FROM t WHERE b GROUP BY 1, x, TUMBLE(INTERVAL '5' SECOND) HAVING count(*) > 1 QUALIFY "
      "row_number() OVER (PARTITION BY a) = 1",
      "SELECT a, b FROM t UNION ALL SELECT c, d FROM u UNION SELECT 1, 2 INTERSECT SELECT 3, 4 EXCEPT SELECT "
      "5, 6 ORDER BY 1 LIMIT 5",
      "(SELECT a FROM t ORDER BY a LIMIT 1) UNION ALL (SELECT b FROM u) LIMIT 3",
      "((SELECT 1))",
      "(SELECT a FROM t LIMIT 5) ORDER BY a",
      "WITH a AS (SELECT 1 AS x), b (y) AS (SELECT x FROM a) SELECT * FROM b",
      "VALUES (1, 'a'), (2, 'b')",
      "SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v (id, name)",
      "SELECT * FROM (SELECT a FROM t) WHERE rn <= 1",
      "SELECT * FROM ((SELECT 1) UNION ALL (SELECT 2)) x",
      "SELECT * FROM ((SELECT 1 AS a) x JOIN (SELECT 1 AS b) y ON x.a = y.b)",
      "SELECT ((SELECT 1) + 2), ((SELECT 1)), (SELECT max(a) FROM t)",
      "SELECT * FROM a, b JOIN c ON b.x = c.x, d WHERE a.x = b.x",
      "SELECT * FROM a LEFT JOIN b ON a.x = b.x RIGHT OUTER JOIN c USING (x, y) FULL JOIN d ON TRUE CROSS "
      "JOIN e NATURAL JOIN f INNER JOIN g ON a = b",
      "SELECT * FROM a LEFT SEMI JOIN b ON a.x = b.x ANTI JOIN c ON a.x = c.x",
      "SELECT * FROM a JOIN (b JOIN c ON b.x = c.x) ON a.x = b.x",
      "SELECT o.a FROM orders AS o JOIN dim FOR SYSTEM_TIME AS OF o.p_time AS d ON o.k = d.k",
      "SELECT o.a FROM orders o LEFT JOIN dim FOR SYSTEM_TIME AS OF o.ts d ON o.k = d.k",
      "SELECT * FROM t, UNNEST(t.arr) AS u (x)",
      "SELECT * FROM t CROSS JOIN UNNEST(arr) WITH ORDINALITY AS u (x, n)",
      "SELECT * FROM system.tables s",
      "SELECT * FROM t WITH (format = 'json') AS a JOIN u (id INT, ts TIMESTAMP, WATERMARK FOR ts, PRIMARY "
      "KEY (id)) WITH (connector = 'x') AS b ON a.id = b.id",
      "SELECT * FROM session (user TEXT) WITH (connector = 'x')",
      "SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '1' SECOND)) AS "
      "w",
      "SELECT auction, COUNT(*) AS num, window_start, window_end FROM TABLE(HOP(TABLE bid, DESCRIPTOR(ts), "
      "INTERVAL '2' SECOND, INTERVAL '10' SECOND)) "
      "GROUP BY auction, window_start, window_end",
      "SELECT * FROM TABLE(HOP(DATA => TABLE bid, TIMECOL => DESCRIPTOR(ts), SIZE => INTERVAL '10' SECOND, "
      "SLIDE => INTERVAL '2' SECOND))",
      "SELECT * FROM TABLE(SESSION(TABLE bid PARTITION BY bidder, auction, DESCRIPTOR(ts), INTERVAL '10' "
      "SECOND)) s",
      "SELECT * FROM CUMULATE(TABLE bid, DESCRIPTOR(ts), INTERVAL '1' MINUTE, INTERVAL '1' HOUR)",
      "SELECT * FROM TABLE(TUMBLE((SELECT * FROM bid), DESCRIPTOR(ts), '10 seconds'))",
      "SELECT c.auction FROM (SELECT a FROM b) c JOIN (SELECT MAX(n.num) AS top FROM (SELECT 1) n GROUP BY "
      "n.s) m ON c.s = m.s AND c.num >= m.top",
      "SELECT bidder, TUMBLE(ts, INTERVAL '10' SECOND) w, HOP(INTERVAL '2' SECOND, INTERVAL '10' SECOND), "
      "SESSION('5 minutes') FROM bid GROUP BY 1, 2",
      "SELECT id, ROW_NUMBER() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.ts ASC) AS rn FROM a JOIN b "
      "ON a.id = b.auction WHERE b.ts BETWEEN a.ts AND a.expires",
      "SELECT sum(a) OVER (ORDER BY ts RANGE BETWEEN INTERVAL '1' HOUR PRECEDING AND CURRENT ROW), avg(a) "
      "OVER (ORDER BY ts ROWS 10 PRECEDING), "
      "lag(a, 1) OVER w, first_value(a) IGNORE NULLS OVER (ORDER BY ts), last_value(a IGNORE NULLS) OVER "
      "(rows ORDER BY ts), "
      "max(a) OVER (ORDER BY ts ROWS BETWEEN UNBOUNDED PRECEDING AND 1 FOLLOWING), "
      "min(a) OVER (ORDER BY ts RANGE INTERVAL '5 minutes' PRECEDING), count(*) OVER () FROM t WINDOW w AS "
      "(ORDER BY ts)",
      "SELECT DATE_FORMAT(ts, 'yyyy-MM-dd') AS `day`, COUNT(DISTINCT bidder) FILTER (WHERE price >= 10000 "
      "AND price < 1000000) AS u2 FROM bid GROUP BY DATE_FORMAT(ts, 'yyyy-MM-dd')",
      "SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY price DESC), array_agg(DISTINCT a ORDER BY b "
      "DESC), string_agg(a, ',' ORDER BY b), "
      "group_concat(a ORDER BY b SEPARATOR ';') FROM t",

      // ---- expressions
      "SELECT 1 + 2 * 3 - -4 / +5 % 6 ^ 7, a || b || c, a & b | c # d << 1 >> 2, NOT a AND b OR NOT c",
      "SELECT a = b, a == b, a <> b, a != b, a < b, a <= b, a > b, a >= b, a <=> b, a IS DISTINCT FROM b, a "
      "IS NOT DISTINCT FROM b + 1",
      "SELECT a IS NULL, a IS NOT NULL, a IS TRUE, a IS NOT FALSE, a IS UNKNOWN, a IS JSON, a = b IS NULL",
      "SELECT a BETWEEN 1 AND 2 AND b NOT BETWEEN SYMMETRIC 3 + 1 AND 4, a IN (1, 2), a NOT IN ('x'), (a, b) "
      "IN ((1, 2), (3, 4))",
      "SELECT a LIKE 'x%', a NOT LIKE 'y' ESCAPE '!', a ILIKE 'z', a SIMILAR TO 'w+', a NOT SIMILAR TO 'v', "
      "a ~ 'x', a ~* 'y', a !~ 'z', a !~* 'w'",
      "SELECT a IN (SELECT b FROM u), a NOT IN (SELECT b FROM u), EXISTS (SELECT 1 FROM u), NOT EXISTS "
      "(SELECT 1), a = ANY (SELECT 1), a <> ALL (SELECT 1) FROM t",
      "SELECT j -> 'a' ->> 'b', j #> '{a}', j #>> '{a,b}', j ? 'k', a @> b, a <@ b, j -> 0",
      "SELECT a::INT, a::TEXT[], '5'::DECIMAL(10,2)::TEXT, CAST(a AS STRUCT<a INT, b TEXT[]>), TRY_CAST(b AS "
      "DOUBLE PRECISION), -a::INT, CAST(a AS ROW(a INT, b TEXT))",
      "SELECT a[1], a[1:2], a[:2], a[1:], a[:], m['k'], s.f.g, (s).f, f(x).y, a[1].b.c, s['f']['g'], "
      "(a.b[2]).c",
      "SELECT CASE WHEN a THEN b WHEN c THEN d ELSE e END, CASE x WHEN 1 THEN 'a' END, CASE end WHEN 1 THEN "
      "end ELSE end END",
      "SELECT DATE '2024-01-01', TIME '10:00', TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP(9) 'x', "
      "TIMESTAMPTZ 'x', TIMESTAMP WITH TIME ZONE 'x', JSON '{}'",
      "SELECT INTERVAL '5' MINUTE, INTERVAL '5 minutes', INTERVAL '1 HOUR', INTERVAL '1 day 02:00:00', "
      "INTERVAL '1-2' YEAR TO MONTH, "
      "INTERVAL 5 MINUTE, INTERVAL '10' SECOND(3), INTERVAL '1 02:03:04.5' DAY TO SECOND(6), INTERVAL -'5' "
      "DAY, INTERVAL '1.5' HOUR, INTERVAL '1h30m'",
      "SELECT ARRAY[1, 2], [1, 2], [], ARRAY[], MAP {'a': 1, b: 2}, MAP {}, MAP['a', 1], STRUCT(1, 2 AS b), "
      "ROW(1, 'x'), (1, 2)",
      "SELECT 1, 1.5, .5, 1., 1e3, 1.5E-3, 0x1F, 1_000_000, 'it''s', E'a\\nb', X'0AFF', TRUE, FALSE, NULL",
      "SELECT EXTRACT(EPOCH FROM a - b), TRIM(BOTH 'x' FROM s), TRIM(LEADING FROM s), TRIM(s), TRIM('x' FROM "
      "s), SUBSTRING(s FROM 2 FOR 3), "
      "SUBSTRING(s, 1, 2), SUBSTRING(s FOR 3), POSITION('a' IN s), OVERLAY(s PLACING 'x' FROM 1 FOR 2), "
      "FLOOR(ts TO HOUR), CEIL(ts TO day), FLOOR(1.5), "
      "TIMESTAMPADD(DAY, 1, ts), TIMESTAMPDIFF(MINUTE, a, b), DATE_DIFF('day', a, b), DATEDIFF(a, b)",
      "SELECT CURRENT_TIMESTAMP, CURRENT_DATE, now(), LOCALTIMESTAMP, ts AT TIME ZONE 'Europe/Berlin', "
      "left(s, 1), right(s, 2), replace(a, 'x', 'y'), if(a, 1, 2)",
      "SELECT JSON_VALUE(j, '$.a' RETURNING INT DEFAULT 0 ON EMPTY NULL ON ERROR), JSON_QUERY(j, '$.b' WITH "
      "WRAPPER ERROR ON ERROR), JSON_EXISTS(j, '$.c'), "
      "JSON_OBJECT('k', v, 'l', w), JSON_OBJECT(KEY 'a' VALUE 1, KEY b VALUE c), JSON_OBJECT('a': 1, k: v "
      "ABSENT ON NULL), JSON_OBJECT(), "
      "JSON_OBJECT(key VALUE value), JSON_ARRAY(1, 2 NULL ON NULL)",
      "SELECT a -- trailing\n, /* block /* nested */ */ b FROM t",
      "--pk=id\nSELECT a FROM t",
      "SELECT \xC3\xA4\xC3\xB6, \"\xE6\x97\xA5\xE6\x9C\xAC\" FROM stra\xC3\x9F"
      "e",
  };
  return statements;
}

}  // namespace laminar::sql
