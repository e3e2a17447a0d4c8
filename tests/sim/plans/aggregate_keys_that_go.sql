-- fold: total
CREATE TABLE out (total BIGINT PRIMARY KEY, amounts BIGINT, most BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out
SELECT n * 10 + amount % 10, count(*), max(ids) FROM (SELECT amount, count(*) AS n, sum(id) AS ids FROM orders GROUP BY amount) GROUP BY n * 10 + amount % 10;
