CREATE TABLE bid (auction INT, ts TIMESTAMP, WATERMARK FOR ts);
CREATE VIEW counts AS SELECT HOP(INTERVAL '5 seconds', INTERVAL '10 seconds') AS w, auction, count(*) AS n FROM bid GROUP BY w, auction;
SELECT c.auction, c.n, c.w.start AS s FROM counts c
JOIN (SELECT w, max(n) AS best FROM counts GROUP BY w) m ON c.w = m.w
WHERE c.n = m.best;
