CREATE TABLE t (u INT, p INT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT w.start AS s, n, low, users, low_users FROM (
  SELECT TUMBLE(INTERVAL '1' DAY) AS w, count(*) AS n, count(*) FILTER (WHERE p < 100) AS low, count(DISTINCT u) AS users, count(DISTINCT u) FILTER (WHERE p < 100) AS low_users FROM t GROUP BY w);
