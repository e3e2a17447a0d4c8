CREATE TABLE t (id INT, p STRUCT<x INT, y INT>, a INT[]);
CREATE FUNCTION ratio(p STRUCT<x INT, y INT>) RETURNS DOUBLE AS p.x / p.y;
CREATE FUNCTION safe_ratio(p STRUCT<x INT, y INT>) RETURNS DOUBLE AS CASE WHEN p.y <> 0 THEN ratio(p) END;
CREATE FUNCTION first_or(a INT[], otherwise INT) RETURNS INT AS coalesce(a[1], otherwise);
SELECT id, safe_ratio(p) AS r, first_or(a, id * 10) AS f FROM t;
