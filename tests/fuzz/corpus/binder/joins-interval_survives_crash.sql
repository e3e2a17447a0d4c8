CREATE TABLE a (k INT, ts TIMESTAMP, WATERMARK FOR ts);
CREATE TABLE b (k INT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT a.k, a.ts AS at, b.ts AS bt FROM a JOIN b ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL '10 seconds';
