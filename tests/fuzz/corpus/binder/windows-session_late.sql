CREATE TABLE clicks (v INT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT w.start AS s, n FROM (SELECT SESSION(INTERVAL '10 seconds') AS w, count(*) AS n FROM clicks GROUP BY w);
