CREATE PIPELINE IF NOT EXISTS p WITH (parallelism = 4, checkpoint_interval = INTERVAL '10' SECOND) AS SELECT * FROM t;
