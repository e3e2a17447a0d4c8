CREATE TABLE paid (order_id BIGINT, customer INT, paid BIGINT)
  WITH (connector = 'filesystem', path = '{in}/payments', type = 'source', format = 'parquet');
CREATE TABLE out (order_id BIGINT, paid BIGINT)
  WITH (connector = 'filesystem', path = '{out}/rows', type = 'sink', format = 'json', 'rolling_policy.file_size' = 400);
INSERT INTO out SELECT order_id, paid FROM paid WHERE customer <> 3;
