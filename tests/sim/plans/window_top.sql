CREATE TABLE out (start TIMESTAMP, customer INT, total BIGINT, place BIGINT)
  WITH (connector = 'filesystem', path = '{out}/rows', type = 'sink', format = 'parquet');
INSERT INTO out
SELECT start, customer, total, place FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY start ORDER BY total DESC, customer) AS place FROM (
    SELECT TUMBLE_START(ts, INTERVAL '30' SECOND) AS start, TUMBLE_END(ts, INTERVAL '30' SECOND) AS fin, customer, sum(amount) AS total
    FROM orders GROUP BY customer, TUMBLE(ts, INTERVAL '30' SECOND))) WHERE place <= 2;
