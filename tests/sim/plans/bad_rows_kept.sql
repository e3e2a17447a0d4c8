CREATE TABLE broken (id BIGINT, customer INT, amount INT)
  WITH (connector = 'filesystem', path = '{in}/broken', type = 'source', format = 'json', bad_data = 'dead_letter', 'dead_letter' = 'bad');
CREATE TABLE bad (raw BYTEA, error TEXT, source TEXT, position TEXT) WITH (connector = 'filesystem', path = '{out}/bad', type = 'sink', format = 'json');
CREATE TABLE out (id BIGINT, amount INT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'json');
INSERT INTO out SELECT id, amount FROM broken;
