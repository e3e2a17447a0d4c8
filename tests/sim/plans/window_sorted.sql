CREATE TABLE out (start TIMESTAMP, id BIGINT, amount BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'json');
INSERT INTO out SELECT window_start, id, amount
FROM TABLE(TUMBLE(TABLE orders, DESCRIPTOR(ts), INTERVAL '20' SECOND)) ORDER BY amount, id;
