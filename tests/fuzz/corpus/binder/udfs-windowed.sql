CREATE TABLE t (k TEXT, v INT, ts TIMESTAMP, WATERMARK FOR ts AS ts);
CREATE FUNCTION kind(k TEXT) RETURNS TEXT AS lower(left(k, 1));
CREATE FUNCTION twice(v INT) RETURNS INT AS v * 2;
CREATE FUNCTION big(v INT) RETURNS BOOLEAN AS v > 1;
SELECT w.start, kind, s, n FROM (SELECT TUMBLE(INTERVAL '10 seconds') AS w, kind(k) AS kind, sum(twice(v)) AS s,
  count(*) FILTER (WHERE big(v)) AS n FROM t GROUP BY w, kind(k));
