CREATE TABLE t (x INT) WITH (connector = 'single_file', path = 'a', type = 'source', format = 'jsn');
SELECT x FROM t;
