CREATE TABLE out (start TIMESTAMP, busiest BIGINT, customers BIGINT)
  WITH (connector = 'filesystem', path = '{out}/rows', type = 'sink', format = 'parquet', 'rolling_policy.file_size' = 100);
CREATE VIEW counts AS SELECT tumble(INTERVAL '10' SECOND) AS w, customer, count(*) AS n FROM orders GROUP BY 1, 2;
INSERT INTO out SELECT w.start, busiest, customers FROM (
  SELECT tumble(INTERVAL '1' MINUTE) AS w, max(n) AS busiest, count(*) AS customers FROM counts GROUP BY 1);
