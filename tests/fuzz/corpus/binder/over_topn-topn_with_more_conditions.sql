CREATE TABLE t (k TEXT, v INT);
SELECT k, v FROM (SELECT k, v, row_number() OVER (ORDER BY v DESC) AS rn FROM t) WHERE rn <= 2 AND v < 10;
