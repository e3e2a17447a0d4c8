-- fold: customer
CREATE TABLE out (customer INT PRIMARY KEY, ids TEXT, spread DOUBLE, middle DOUBLE, about BIGINT, last BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out SELECT customer, string_agg(CAST(amount AS TEXT), '' ORDER BY amount), round(stddev_pop(amount), 6), median(amount),
  approx_count_distinct(amount), last_value(amount ORDER BY ts)
FROM orders GROUP BY customer;
