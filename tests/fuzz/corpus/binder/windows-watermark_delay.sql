CREATE TABLE bids (id INT, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '5 seconds');
SELECT window.start AS s, n FROM (SELECT TUMBLE(INTERVAL '10 seconds') AS window, count(*) AS n FROM bids GROUP BY window);
