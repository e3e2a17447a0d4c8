-- fold: place
CREATE TABLE out (place BIGINT PRIMARY KEY, customer INT, total BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out SELECT place, customer, total FROM (
  SELECT *, ROW_NUMBER() OVER (ORDER BY total DESC, customer) AS place FROM (
    SELECT customer, sum(amount) AS total FROM orders GROUP BY customer)) WHERE place <= 3;
