CREATE TABLE t WITH (connector = 'single_file', path = '/tmp/x', type = 'source', format = 'json');
