SET parallelism = 3;
CREATE TABLE n WITH (connector = 'nexmark', event_rate = '1000', events_num = 100);
CREATE TABLE g (a INT, b TEXT, c TIMESTAMP) WITH (connector = 'datagen', 'fields.a.kind' = 'sequence', 'fields.a.start' = '1', 'fields.b.values' = 'x,y', number_of_rows = 10);
CREATE TABLE i WITH (connector = 'impulse', event_rate = 10, message_count = 5);
CREATE VIEW v AS SELECT bid.auction, bid.price FROM n WHERE event_type = 2;
SELECT g.b, count(DISTINCT v.price) FILTER (WHERE v.price > 1) FROM v JOIN g ON v.auction = g.a GROUP BY g.b;
EXPLAIN SELECT counter, subtask_index FROM i;
