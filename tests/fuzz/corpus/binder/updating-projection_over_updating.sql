CREATE TABLE t (k TEXT);
SELECT k, n / 2 AS half FROM (SELECT k, count(*) AS n FROM t GROUP BY k);
