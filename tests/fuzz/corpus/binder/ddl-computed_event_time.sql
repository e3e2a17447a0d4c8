CREATE TABLE t (ms BIGINT, ts AS to_timestamp_millis(ms), WATERMARK FOR ts AS ts - INTERVAL '1 second');
SELECT w.start AS s, n FROM (SELECT TUMBLE(INTERVAL '10 seconds') AS w, count(*) AS n FROM t GROUP BY w);
