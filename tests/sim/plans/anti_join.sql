-- fold: id
CREATE TABLE out (id BIGINT PRIMARY KEY, amount BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out SELECT id, amount FROM orders o WHERE NOT EXISTS (SELECT 1 FROM payments p WHERE p.order_id = o.id);
