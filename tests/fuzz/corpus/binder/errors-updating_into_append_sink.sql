CREATE TABLE t (k TEXT);
CREATE TABLE s (k TEXT, n BIGINT) WITH (connector = 'single_file', path = 'out.json', format = 'json', type = 'sink');
INSERT INTO s SELECT k, count(*) FROM t GROUP BY k;
