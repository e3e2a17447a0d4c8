-- fold: one
CREATE TABLE out (one INT PRIMARY KEY, n BIGINT, total BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out SELECT 1, count(*), sum(amount) FROM orders;
