CREATE TABLE paid (order_id BIGINT, customer INT, paid BIGINT, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '5 seconds')
  WITH (connector = 'single_file', path = '{in}/payments.csv.gz', type = 'source', format = 'csv', 'csv.header' = 'true');
CREATE TABLE out (start TIMESTAMP, customer INT, n BIGINT, paid BIGINT)
  WITH (connector = 'filesystem', path = '{out}/rows', type = 'sink', format = 'csv', 'csv.header' = 'false', 'partition_by' = 'customer');
INSERT INTO out SELECT TUMBLE_START(ts, INTERVAL '30' SECOND), customer, count(*), sum(paid) FROM paid GROUP BY customer, TUMBLE(ts, INTERVAL '30' SECOND);
