CREATE TABLE out (start TIMESTAMP, customer INT, orders BIGINT, paid BIGINT)
  WITH (connector = 'filesystem', path = '{out}/rows', type = 'sink', format = 'json');
INSERT INTO out
SELECT o.start, o.customer, o.n, p.n FROM
  (SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE) AS start, TUMBLE_END(ts, INTERVAL '1' MINUTE) AS fin, customer, count(*) AS n FROM orders GROUP BY customer, TUMBLE(ts, INTERVAL '1' MINUTE)) o
JOIN
  (SELECT TUMBLE_START(ts, INTERVAL '1' MINUTE) AS start, TUMBLE_END(ts, INTERVAL '1' MINUTE) AS fin, customer, count(*) AS n FROM payments GROUP BY customer, TUMBLE(ts, INTERVAL '1' MINUTE)) p
ON o.customer = p.customer AND o.start = p.start AND o.fin = p.fin;
