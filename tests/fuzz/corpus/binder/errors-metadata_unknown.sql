CREATE TABLE t (x INT, o BIGINT METADATA FROM 'offzet') WITH (connector = 'single_file', path = 'a.json', format = 'json', type = 'source');
SELECT o FROM t;
