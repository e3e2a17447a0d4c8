CREATE TABLE bids (item TEXT, price INT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT TUMBLE(INTERVAL '10 seconds') AS window, window.start, window.end, item, count(*) AS n, sum(price) AS total
FROM bids GROUP BY window, item;
