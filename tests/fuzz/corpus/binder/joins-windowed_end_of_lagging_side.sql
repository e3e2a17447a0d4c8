CREATE TABLE a (k TEXT, ts TIMESTAMP, WATERMARK FOR ts);
CREATE TABLE b (k TEXT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT l.k, l.n, r.n AS m FROM
  (SELECT TUMBLE(INTERVAL '10 seconds') AS w, k, count(*) AS n FROM a GROUP BY w, k) l
JOIN
  (SELECT TUMBLE(INTERVAL '10 seconds') AS w, k, count(*) AS n FROM b GROUP BY w, k) r
ON l.w = r.w AND l.k = r.k;
