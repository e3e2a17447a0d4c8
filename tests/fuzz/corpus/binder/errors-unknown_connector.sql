CREATE TABLE t (x INT) WITH (connector = 'kafkaa', type = 'source');
SELECT x FROM t;
