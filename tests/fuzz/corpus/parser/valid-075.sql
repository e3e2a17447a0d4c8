SELECT * FROM t WITH (format = 'json') AS a JOIN u (id INT, ts TIMESTAMP, WATERMARK FOR ts, PRIMARY KEY (id)) WITH (connector = 'x') AS b ON a.id = b.id;
