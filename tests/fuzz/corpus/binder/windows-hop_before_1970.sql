CREATE TABLE bids (v INT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT w.start AS s, n FROM (
  SELECT HOP(INTERVAL '5 seconds', INTERVAL '10 seconds') AS w, count(*) AS n FROM bids GROUP BY w);
