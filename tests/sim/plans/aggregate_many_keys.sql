-- fold: amount, part
CREATE TABLE out (amount BIGINT, part BIGINT, n BIGINT, ids BIGINT, last BIGINT, customers BIGINT, PRIMARY KEY (amount, part))
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out SELECT amount, id % 2, count(*), sum(id), max(id), count(DISTINCT customer) FROM orders GROUP BY amount, id % 2;
