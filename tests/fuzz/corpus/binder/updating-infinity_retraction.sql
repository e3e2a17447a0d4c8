CREATE TABLE t (v DOUBLE);
SELECT sum(v) AS s, avg(v) AS a FROM t;
