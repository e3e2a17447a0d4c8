CREATE TABLE s (x INT) WITH (connector = 'blackhole');
INSERT INTO s SELECT 1, 2;
