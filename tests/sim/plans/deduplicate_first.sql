CREATE TABLE out (customer INT, amount BIGINT, id BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'json');
INSERT INTO out
SELECT customer, amount, id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY customer, amount ORDER BY ts) AS r FROM orders) WHERE r = 1;
