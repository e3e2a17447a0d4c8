CREATE TABLE t (counter BIGINT UNSIGNED) WITH (connector = 'impulse', event_rate = '1', type = 'source');
INSERT INTO t SELECT 1;
