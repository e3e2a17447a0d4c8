-- fold: n
CREATE TABLE out (n BIGINT PRIMARY KEY, customers BIGINT, most BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out
SELECT n, count(*), max(total) FROM (SELECT customer, count(*) AS n, sum(amount) AS total FROM orders GROUP BY customer) GROUP BY n;
