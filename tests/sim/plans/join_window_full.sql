CREATE TABLE out (start TIMESTAMP, customer INT, orders BIGINT, payments BIGINT)
  WITH (connector = 'filesystem', path = '{out}/rows', type = 'sink', format = 'json', 'json.compression' = 'zstd');
CREATE VIEW o AS SELECT TUMBLE_START(ts, INTERVAL '20' SECOND) AS window_start, TUMBLE_END(ts, INTERVAL '20' SECOND) AS window_end, customer, count(*) AS n
  FROM orders GROUP BY customer, TUMBLE(ts, INTERVAL '20' SECOND);
CREATE VIEW p AS SELECT TUMBLE_START(ts, INTERVAL '20' SECOND) AS window_start, TUMBLE_END(ts, INTERVAL '20' SECOND) AS window_end, customer, count(*) AS n
  FROM payments GROUP BY customer, TUMBLE(ts, INTERVAL '20' SECOND);
INSERT INTO out SELECT coalesce(o.window_start, p.window_start), coalesce(o.customer, p.customer), o.n, p.n
FROM o FULL JOIN p ON o.window_start = p.window_start AND o.window_end = p.window_end AND o.customer = p.customer;
