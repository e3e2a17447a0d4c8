CREATE TABLE bids (k TEXT, v INT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT window.start AS s, max(n) AS most, count(*) AS keys FROM (
  SELECT TUMBLE(INTERVAL '10 seconds') AS window, k, count(*) AS n FROM bids GROUP BY window, k)
GROUP BY window;
