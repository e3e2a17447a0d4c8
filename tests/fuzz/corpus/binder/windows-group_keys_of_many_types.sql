CREATE TABLE t (a BOOLEAN, b DATE, c DECIMAL(5,1), d DOUBLE, e TIMESTAMP, ts TIMESTAMP, WATERMARK FOR ts);
SELECT a, b, c, d, e, count(*) AS n FROM t GROUP BY TUMBLE(INTERVAL '1 minute'), a, b, c, d, e;
