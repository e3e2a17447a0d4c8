CREATE TABLE a (k TEXT, ts TIMESTAMP, WATERMARK FOR ts);
CREATE TABLE b (k TEXT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT l.n, r.k FROM
  (SELECT TUMBLE(INTERVAL '10 seconds') AS w, k, count(*) AS n FROM a GROUP BY w, k) l
RIGHT JOIN
  (SELECT TUMBLE(INTERVAL '10 seconds') AS w, k, count(*) AS n FROM b GROUP BY w, k) r
ON l.w = r.w AND l.k = r.k;
