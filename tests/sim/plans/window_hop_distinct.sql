CREATE TABLE out (customer INT, start TIMESTAMP, n BIGINT, biggest BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'json');
INSERT INTO out
SELECT customer, HOP_START(ts, INTERVAL '20' SECOND, INTERVAL '1' MINUTE), count(DISTINCT amount), max(amount)
FROM orders GROUP BY customer, HOP(ts, INTERVAL '20' SECOND, INTERVAL '1' MINUTE);
