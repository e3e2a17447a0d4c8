CREATE TABLE t (x INT) WITH (connector = 'single_file', path = 'a', format = 'json', type = 'source', compresion = 'gzip');
SELECT x FROM t;
