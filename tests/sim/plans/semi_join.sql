-- fold: id
CREATE TABLE out (id BIGINT PRIMARY KEY, amount BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out SELECT id, amount FROM orders WHERE id IN (SELECT order_id FROM payments WHERE paid > 3);
