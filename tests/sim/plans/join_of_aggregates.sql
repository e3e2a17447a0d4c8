-- fold: customer
CREATE TABLE out (customer INT PRIMARY KEY, bought BIGINT, paid BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out SELECT o.customer, o.bought, p.paid
FROM (SELECT customer, sum(amount) AS bought FROM orders GROUP BY customer) o
JOIN (SELECT customer, sum(paid) AS paid FROM payments GROUP BY customer) p ON o.customer = p.customer;
