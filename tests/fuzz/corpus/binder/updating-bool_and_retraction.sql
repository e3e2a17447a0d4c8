CREATE TABLE t (v BOOLEAN);
SELECT bool_and(v) AS a, bool_or(v) AS o FROM t;
