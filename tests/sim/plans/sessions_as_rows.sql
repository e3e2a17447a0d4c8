CREATE TABLE out (id BIGINT, customer INT, start TIMESTAMP, fin TIMESTAMP)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'json');
INSERT INTO out SELECT id, customer, window_start, window_end
FROM TABLE(SESSION(TABLE orders PARTITION BY customer, DESCRIPTOR(ts), INTERVAL '12' SECOND));
