-- fold: customer, place
CREATE TABLE out (customer INT, place BIGINT, id BIGINT, amount BIGINT, PRIMARY KEY (customer, place))
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out
SELECT customer, r, id, amount FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY customer ORDER BY amount DESC, id) AS r FROM orders) WHERE r <= 3;
