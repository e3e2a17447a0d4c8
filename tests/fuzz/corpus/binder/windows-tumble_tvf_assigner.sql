CREATE TABLE bids (price INT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT price, window_start, window_end, window_time FROM TABLE(TUMBLE(TABLE bids, DESCRIPTOR(ts), INTERVAL '1' MINUTE));
