-- parallelism: 3
CREATE TABLE events WITH (connector = 'nexmark', event_rate = 0, events_num = 400);
CREATE TABLE out (start TIMESTAMP, auction BIGINT, n BIGINT, top BIGINT)
  WITH (connector = 'filesystem', path = '{out}/rows', type = 'sink', format = 'json');
INSERT INTO out SELECT w.start, auction, n, top FROM (
  SELECT hop(INTERVAL '5' MILLISECOND, INTERVAL '10' MILLISECOND) AS w, bid.auction AS auction, count(*) AS n, max(bid.price) AS top
  FROM events WHERE bid IS NOT NULL GROUP BY 1, 2);
