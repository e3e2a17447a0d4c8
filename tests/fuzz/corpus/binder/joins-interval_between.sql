CREATE TABLE orders (id INT, ts TIMESTAMP, WATERMARK FOR ts);
CREATE TABLE ships (id INT, ts TIMESTAMP, WATERMARK FOR ts);
SELECT o.id, o.ts AS ordered, s.ts AS shipped FROM orders o JOIN ships s
ON o.id = s.id AND s.ts BETWEEN o.ts AND o.ts + INTERVAL '10 seconds';
