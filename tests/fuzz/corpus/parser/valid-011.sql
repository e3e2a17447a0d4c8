CREATE TABLE k (ts TIMESTAMP, WATERMARK FOR ts) WITH (connector = 'kafka');
