CREATE TABLE out (id BIGINT, order_id BIGINT, paid BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.csv', type = 'sink', format = 'csv');
INSERT INTO out SELECT o.id, p.order_id, p.paid FROM orders o FULL JOIN payments p
  ON o.id = p.order_id AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '4' SECOND;
