CREATE TABLE t (x INT) WITH (connector = 'single_file', path = 'a.json', format = 'debezium_json', type = 'source');
SELECT x FROM t;
