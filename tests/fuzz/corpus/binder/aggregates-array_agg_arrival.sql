CREATE TABLE t (x INT);
SELECT array_agg(x) AS a FROM t;
