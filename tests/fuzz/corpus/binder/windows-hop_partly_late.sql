CREATE TABLE bids (v INT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT w.start AS s, total FROM (
  SELECT HOP(INTERVAL '5 seconds', INTERVAL '10 seconds') AS w, sum(v) AS total FROM bids GROUP BY w);
