CREATE TABLE out (n BIGINT) WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'json');
INSERT INTO out SELECT 1 FROM orders LIMIT 37;
