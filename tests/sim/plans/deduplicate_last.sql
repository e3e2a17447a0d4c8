-- fold: customer
CREATE TABLE out (customer INT PRIMARY KEY, amount BIGINT, id BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out
SELECT customer, amount, id FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY customer ORDER BY ts DESC, id DESC) AS r FROM orders) WHERE r = 1;
