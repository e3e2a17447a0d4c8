-- fold: town
CREATE TABLE accounts (customer INT PRIMARY KEY, balance BIGINT, town TEXT)
  WITH (connector = 'single_file', path = '{in}/accounts_after.json', type = 'source', format = 'debezium_json');
CREATE TABLE out (town TEXT PRIMARY KEY, customers BIGINT, balance BIGINT)
  WITH (connector = 'single_file', path = '{out}/rows.json', type = 'sink', format = 'debezium_json');
INSERT INTO out SELECT town, count(*), sum(balance) FROM accounts GROUP BY town;
