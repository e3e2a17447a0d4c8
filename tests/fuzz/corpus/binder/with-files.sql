CREATE TABLE a (id BIGINT PRIMARY KEY, d DECIMAL(20, 4), ts TIMESTAMP(9), file TEXT METADATA FROM 'file', WATERMARK FOR ts AS ts - INTERVAL '5' SECOND)
WITH (connector = 'filesystem', path = '/tmp/x', pattern = '*.csv', format = 'csv', 'csv.delimiter' = ';', type = 'source', bad_data = 'dead_letter', 'bad_data.table' = 'd', scan_interval = '5 seconds');
CREATE TABLE d WITH (connector = 'single_file', path = '/tmp/d', format = 'json', type = 'sink');
CREATE TABLE o (id BIGINT, n BIGINT) WITH (connector = 'filesystem', path = '/tmp/o', format = 'parquet', type = 'sink', 'rolling_policy.file_size' = '10MB', 'partitioning.fields' = 'id');
INSERT INTO o SELECT id, count(*) FROM a GROUP BY id, TUMBLE(INTERVAL '1' MINUTE);
