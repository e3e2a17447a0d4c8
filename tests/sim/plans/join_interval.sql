CREATE TABLE out (id BIGINT, customer INT, paid BIGINT)
  WITH (connector = 'filesystem', path = '{out}/rows', type = 'sink', format = 'json', 'rolling_policy.file_size' = 500);
INSERT INTO out
SELECT o.id, o.customer, p.paid FROM orders o JOIN payments p ON o.id = p.order_id AND p.ts BETWEEN o.ts AND o.ts + INTERVAL '1' MINUTE;
