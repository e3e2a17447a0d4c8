-- fold: customer, amount
CREATE TABLE out (customer INT, amount BIGINT, PRIMARY KEY (customer, amount))
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out SELECT customer, amount % 5 AS amount FROM orders UNION SELECT customer, paid FROM payments;
