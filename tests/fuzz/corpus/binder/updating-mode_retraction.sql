CREATE TABLE t (v INT);
SELECT mode(v) AS m FROM t;
