CREATE TABLE bids (k TEXT, v INT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT k, window_start, window_end, sum(v) AS total
FROM TABLE(HOP(TABLE bids, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND))
GROUP BY window_start, window_end, k;
