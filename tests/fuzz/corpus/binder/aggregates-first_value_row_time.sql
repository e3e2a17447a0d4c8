CREATE TABLE t (x INT, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '1 minute');
SELECT first_value(x) AS f, last_value(x) AS l FROM t GROUP BY TUMBLE(INTERVAL '1 minute');
