-- bids.sql
CREATE TABLE bids (item TEXT, price INT, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH (connector = 'single_file', path = 'examples/bids.ndjson', format = 'json', type = 'source');

SELECT TUMBLE(INTERVAL '10' SECOND) AS window, item, count(*) AS bids, max(price) AS best
FROM bids
GROUP BY window, item;
