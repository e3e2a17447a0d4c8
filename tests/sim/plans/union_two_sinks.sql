CREATE TABLE all_times (id BIGINT, what TEXT)
  WITH (connector = 'filesystem', path = '{out}/all', type = 'sink', format = 'json', 'json.compression' = 'gzip', 'rolling_policy.file_size' = 300);
CREATE TABLE counts (start TIMESTAMP, n BIGINT)
  WITH (connector = 'single_file', path = '{out}/counts.json', type = 'sink', format = 'json');
CREATE VIEW both AS SELECT id, 'order' AS what, ts FROM orders UNION ALL SELECT order_id, 'payment', ts FROM payments;
INSERT INTO all_times SELECT id, what FROM both;
INSERT INTO counts SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE), count(*) FROM both GROUP BY TUMBLE(ts, INTERVAL '1' MINUTE);
