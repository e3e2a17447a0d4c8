CREATE TABLE a (k TEXT);
CREATE TABLE b (k TEXT, v INT);
SELECT l.k, n, s FROM (SELECT k, count(*) AS n FROM a GROUP BY k) l JOIN (SELECT k, sum(v) AS s FROM b GROUP BY k) r ON l.k = r.k;
