CREATE TABLE out (id BIGINT, before BIGINT, first BIGINT, n BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'json');
INSERT INTO out SELECT id, lag(amount) OVER w, first_value(amount) OVER w, row_number() OVER w
FROM orders WINDOW w AS (PARTITION BY customer ORDER BY ts);
