CREATE TABLE a (k TEXT, ts TIMESTAMP, WATERMARK FOR ts);
CREATE TABLE b (k TEXT, v INT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT l.k, l.n, r.s FROM
  (SELECT TUMBLE(INTERVAL '10 seconds') AS w, k, count(*) AS n FROM a GROUP BY w, k) l
LEFT JOIN
  (SELECT TUMBLE(INTERVAL '10 seconds') AS w, k, sum(v) AS s FROM b GROUP BY w, k) r
ON l.w = r.w AND l.k = r.k;
