CREATE TABLE t (v DECIMAL(20,2));
SELECT sum(v) AS s, avg(v) AS a FROM t;
