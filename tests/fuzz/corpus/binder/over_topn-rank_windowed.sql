CREATE TABLE bids (item TEXT, v INT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT item, r, d, rn FROM (
  SELECT item, rank() OVER (PARTITION BY w ORDER BY s DESC) AS r, dense_rank() OVER (PARTITION BY w ORDER BY s DESC) AS d,
         row_number() OVER (PARTITION BY w ORDER BY s DESC, item) AS rn FROM (
    SELECT TUMBLE(INTERVAL '10 seconds') AS w, item, sum(v) AS s FROM bids GROUP BY w, item));
