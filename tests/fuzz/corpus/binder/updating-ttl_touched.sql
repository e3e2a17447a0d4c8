SET updating_ttl = '10 minutes';
CREATE TABLE t (k TEXT);
SELECT k, count(*) AS n FROM t GROUP BY k;
