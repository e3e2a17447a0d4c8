CREATE TABLE t (k TEXT);
SELECT k, count(*) AS n FROM t GROUP BY k;
