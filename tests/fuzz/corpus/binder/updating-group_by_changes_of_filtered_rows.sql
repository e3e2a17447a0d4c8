CREATE TABLE t (k TEXT, v INT);
SELECT k, count(*) AS n FROM t WHERE v > 5 GROUP BY k;
