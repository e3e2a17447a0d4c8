CREATE TABLE t WITH (connector = 'blackhole') AS SELECT a, b FROM s;
