-- The nested events of gen.py as three tables with one event time.
CREATE TABLE events (
  event_type INT,
  person STRUCT<id BIGINT, name TEXT, emailAddress TEXT, creditCard TEXT, city TEXT, state TEXT, `dateTime` TIMESTAMP(3), extra TEXT>,
  auction STRUCT<id BIGINT, itemName TEXT, description TEXT, initialBid BIGINT, reserve BIGINT, `dateTime` TIMESTAMP(3), expires TIMESTAMP(3), seller BIGINT, category BIGINT, extra TEXT>,
  bid STRUCT<auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, `dateTime` TIMESTAMP(3), extra TEXT>,
  ts AS CASE WHEN event_type = 2 THEN bid.`dateTime` WHEN event_type = 1 THEN auction.`dateTime` ELSE person.`dateTime` END,
  p_time AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH (connector = 'single_file', path = '{path}', format = 'json', type = 'source');

CREATE VIEW person AS
SELECT person.id, person.name, person.emailAddress, person.creditCard, person.city, person.state, ts, person.extra FROM events WHERE event_type = 0;
CREATE VIEW auction AS
SELECT auction.id, auction.itemName, auction.description, auction.initialBid, auction.reserve, ts, auction.expires, auction.seller, auction.category, auction.extra
FROM events WHERE event_type = 1;
CREATE VIEW bid AS
SELECT bid.auction, bid.bidder, bid.price, bid.channel, bid.url, ts, bid.extra FROM events WHERE event_type = 2;
CREATE VIEW bid_proc AS
SELECT bid.auction, bid.bidder, bid.price, p_time FROM events WHERE event_type = 2;
