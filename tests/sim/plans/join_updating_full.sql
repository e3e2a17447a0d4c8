-- fold: id
CREATE TABLE out (id BIGINT PRIMARY KEY, amount BIGINT, paid BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out SELECT coalesce(o.id, p.order_id + 1000), o.amount, p.paid
FROM (SELECT * FROM orders WHERE amount > 10) o FULL JOIN payments p ON o.id = p.order_id;
