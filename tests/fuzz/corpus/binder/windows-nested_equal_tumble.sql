CREATE TABLE bids (k TEXT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT s, most FROM (
  SELECT TUMBLE(INTERVAL '10 seconds') AS w2, w2.start AS s, max(n) AS most FROM (
    SELECT TUMBLE(INTERVAL '10 seconds') AS w, k, count(*) AS n FROM bids GROUP BY w, k)
  GROUP BY w2);
