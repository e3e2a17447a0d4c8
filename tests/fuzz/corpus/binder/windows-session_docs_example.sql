CREATE TABLE clicks (ts TIMESTAMP, WATERMARK FOR ts);
SELECT w.start AS s, w.end AS e, n FROM (SELECT SESSION(INTERVAL '15 minutes') AS w, count(*) AS n FROM clicks GROUP BY w);
