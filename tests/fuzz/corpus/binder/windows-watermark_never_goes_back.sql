CREATE TABLE bids (id INT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT window.start AS s, n FROM (SELECT TUMBLE(INTERVAL '10 seconds') AS window, count(*) AS n FROM bids GROUP BY window);
