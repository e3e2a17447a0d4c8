-- fold: customer
CREATE TABLE out (customer INT PRIMARY KEY, n BIGINT, total BIGINT, biggest BIGINT, kinds BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out SELECT customer, count(*), sum(amount), max(amount), count(DISTINCT amount % 7) FROM orders GROUP BY customer;
