CREATE TABLE k (ts TIMESTAMP, WATERMARK FOR ts AS (ts - INTERVAL '1' MINUTE)) WITH (connector = 'kafka');
