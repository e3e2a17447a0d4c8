CREATE TABLE out (customer INT, start TIMESTAMP, n BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.csv', type = 'sink', format = 'csv');
INSERT INTO out
SELECT customer, SESSION_START(ts, INTERVAL '15' SECOND), count(*) FROM orders GROUP BY customer, SESSION(ts, INTERVAL '15' SECOND);
