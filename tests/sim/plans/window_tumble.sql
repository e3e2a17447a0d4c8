-- sinks: json files by partition
CREATE TABLE per_minute (customer INT, start TIMESTAMP, n BIGINT, total BIGINT)
  WITH (connector = 'filesystem', path = '{out}/rows', type = 'sink', format = 'json', 'partition_by' = 'customer', 'filename.strategy' = 'serial', 'rolling_policy.file_size' = 200);
INSERT INTO per_minute
SELECT customer, TUMBLE_START(ts, INTERVAL '1' MINUTE), count(*), sum(amount) FROM orders GROUP BY customer, TUMBLE(ts, INTERVAL '1' MINUTE);
