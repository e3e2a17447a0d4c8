-- fold: k
-- parallelism: 2
CREATE TABLE made (k BIGINT, v BIGINT) WITH (connector = 'datagen', event_rate = 0, number_of_rows = 300, 'fields.k.kind' = 'random', 'fields.k.min' = 0, 'fields.k.max' = 9,
  'fields.v.kind' = 'sequence', 'fields.v.start' = 0, 'fields.v.end' = 1000);
CREATE TABLE out (k BIGINT PRIMARY KEY, n BIGINT, total BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out SELECT k, count(*), sum(v) FROM made GROUP BY k;
