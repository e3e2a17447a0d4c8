CREATE TABLE t (k TEXT, v INT, o INT);
SELECT k, last_value(v ORDER BY o) AS l FROM t GROUP BY k;
