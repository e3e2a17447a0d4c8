-- The events of the `nexmark` connector as the tables of views.sql: made in memory, nothing is read or parsed.
CREATE TABLE events (
  event_type INT,
  person STRUCT<id BIGINT, name TEXT, email_address TEXT, credit_card TEXT, city TEXT, state TEXT, datetime TIMESTAMP, extra TEXT>,
  auction STRUCT<id BIGINT, description TEXT, item_name TEXT, initial_bid BIGINT, reserve BIGINT, datetime TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra TEXT>,
  bid STRUCT<auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, datetime TIMESTAMP, extra TEXT>,
  ts AS CASE WHEN event_type = 2 THEN bid.datetime WHEN event_type = 1 THEN auction.datetime ELSE person.datetime END,
  p_time AS PROCTIME(),
  WATERMARK FOR ts AS ts - INTERVAL '4' SECOND
) WITH (connector = 'nexmark', event_rate = 0, events_num = {events});

CREATE VIEW person AS
SELECT person.id, person.name, person.email_address AS emailAddress, person.credit_card AS creditCard, person.city, person.state, ts, person.extra
FROM events WHERE event_type = 0;
CREATE VIEW auction AS
SELECT auction.id, auction.item_name AS itemName, auction.description, auction.initial_bid AS initialBid, auction.reserve, ts, auction.expires,
       auction.seller, auction.category, auction.extra
FROM events WHERE event_type = 1;
CREATE VIEW bid AS
SELECT bid.auction, bid.bidder, bid.price, bid.channel, bid.url, ts, bid.extra FROM events WHERE event_type = 2;
CREATE VIEW bid_proc AS
SELECT bid.auction, bid.bidder, bid.price, p_time FROM events WHERE event_type = 2;
