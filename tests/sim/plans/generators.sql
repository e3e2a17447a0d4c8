-- parallelism: 2
CREATE TABLE beats WITH (connector = 'impulse', event_rate = 0, message_count = 300);
CREATE TABLE out (counter BIGINT, subtask BIGINT) WITH (connector = 'filesystem', path = '{out}/rows', type = 'sink', format = 'json', 'rolling_policy.file_size' = 700);
INSERT INTO out SELECT counter, subtask_index FROM beats;
