SELECT * FROM events WITH (
  connector = 'kafka',  -- Using the Kafka connector
  bootstrap_servers = 'localhost:9092',
  topic = 'user-events',
  format = 'json'
);
