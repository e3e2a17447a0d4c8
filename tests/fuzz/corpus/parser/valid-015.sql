CREATE TABLE t (a INT) WITH (connector = kafka, n = -5, x = true, l = ['a', 'b'], i = INTERVAL '5' SECOND, e = 1.5) PARTITIONED BY (a, date_trunc('day', b));
