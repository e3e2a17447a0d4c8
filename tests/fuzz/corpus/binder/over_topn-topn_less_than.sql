CREATE TABLE t (k TEXT, v INT);
SELECT k FROM (SELECT k, row_number() OVER (ORDER BY v) AS rn FROM t) WHERE 2 > rn;
