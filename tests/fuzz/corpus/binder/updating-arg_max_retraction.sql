CREATE TABLE t (n TEXT, p INT);
SELECT arg_max(n, p) AS best FROM t;
