CREATE TABLE t (k TEXT, v INT);
SELECT k, count(*) AS n, sum(v) AS s FROM t GROUP BY k;
