-- Nexmark over the views person, auction, bid of views.sql. One query after each line that begins with two dashes, an @ and its name.

--@ q0  pass through
SELECT auction, bidder, price, ts, extra FROM bid

--@ q1  currency conversion
SELECT auction, bidder, 0.908 * price AS price, ts, extra FROM bid

--@ q2  selection
SELECT auction, price FROM bid WHERE MOD(auction, 123) = 0

--@ q3  local item suggestion: incremental join
SELECT p.name, p.city, p.state, a.id
FROM auction a JOIN person p ON a.seller = p.id
WHERE a.category = 10 AND p.state IN ('OR', 'ID', 'CA')

--@ q4  average closing price per category
SELECT w.category, AVG(w.final) AS avg_final
FROM (
  SELECT a.id, a.category, MAX(b.price) AS final
  FROM auction a JOIN bid b ON a.id = b.auction
  WHERE b.ts BETWEEN a.ts AND a.expires
  GROUP BY a.id, a.category
) w
GROUP BY w.category

--@ q5  hot items: hop 10 s by 2 s, auctions with the most bids
SELECT c.auction, c.num
FROM (
  SELECT auction, COUNT(*) AS num, window_start, window_end
  FROM TABLE(HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
  GROUP BY auction, window_start, window_end
) c
JOIN (
  SELECT MAX(n.num) AS top, n.window_start, n.window_end
  FROM (
    SELECT COUNT(*) AS num, window_start, window_end
    FROM TABLE(HOP(TABLE bid, DESCRIPTOR(ts), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
    GROUP BY auction, window_start, window_end
  ) n
  GROUP BY n.window_start, n.window_end
) m
ON c.window_start = m.window_start AND c.window_end = m.window_end AND c.num >= m.top

--@ q7  highest bid per 10 s
SELECT b.auction, b.price, b.bidder, b.ts, b.extra
FROM bid b
JOIN (
  SELECT MAX(price) AS top, window_end AS upto
  FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY window_start, window_end
) m
ON b.price = m.top
WHERE b.ts BETWEEN m.upto - INTERVAL '10' SECOND AND m.upto

--@ q8  new users who opened auctions in the same 10 s
SELECT p.id, p.name, p.window_start AS since
FROM (
  SELECT id, name, window_start, window_end
  FROM TABLE(TUMBLE(TABLE person, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY id, name, window_start, window_end
) p
JOIN (
  SELECT seller, window_start, window_end
  FROM TABLE(TUMBLE(TABLE auction, DESCRIPTOR(ts), INTERVAL '10' SECOND))
  GROUP BY seller, window_start, window_end
) a
ON p.id = a.seller AND p.window_start = a.window_start AND p.window_end = a.window_end

--@ q9  winning bid of each auction
SELECT id, itemName, description, initialBid, reserve, ts, expires, seller, category, extra,
       auction, bidder, price, bid_ts, bid_extra
FROM (
  SELECT a.*, b.auction, b.bidder, b.price, b.ts AS bid_ts, b.extra AS bid_extra,
         ROW_NUMBER() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.ts ASC) AS rn
  FROM auction a JOIN bid b ON a.id = b.auction
  WHERE b.ts BETWEEN a.ts AND a.expires
)
WHERE rn <= 1

--@ q11  bids per user session, gap 10 s
SELECT bidder, COUNT(*) AS bids, window_start, window_end
FROM TABLE(SESSION(TABLE bid PARTITION BY bidder, DESCRIPTOR(ts), INTERVAL '10' SECOND))
GROUP BY bidder, window_start, window_end

--@ q12  bids per user in 10 s of processing time
SELECT bidder, COUNT(*) AS bids, window_start, window_end
FROM TABLE(TUMBLE(TABLE bid_proc, DESCRIPTOR(p_time), INTERVAL '10' SECOND))
GROUP BY bidder, window_start, window_end

--@ q14  calculation and a user function
SELECT auction, bidder, 0.908 * price AS price,
       CASE WHEN HOUR(ts) >= 8 AND HOUR(ts) <= 18 THEN 'dayTime'
            WHEN HOUR(ts) <= 6 OR HOUR(ts) >= 20 THEN 'nightTime'
            ELSE 'otherTime' END AS bidTimeType,
       ts, extra, count_char(extra, 'c') AS c_counts
FROM bid
WHERE 0.908 * price > 1000000 AND 0.908 * price < 50000000

--@ q15  distinct counts per day
SELECT DATE_FORMAT(ts, 'yyyy-MM-dd') AS `day`,
       COUNT(*) AS bids,
       COUNT(*) FILTER (WHERE price < 10000) AS b1,
       COUNT(*) FILTER (WHERE price >= 10000 AND price < 1000000) AS b2,
       COUNT(*) FILTER (WHERE price >= 1000000) AS b3,
       COUNT(DISTINCT bidder) AS u,
       COUNT(DISTINCT bidder) FILTER (WHERE price < 10000) AS u1,
       COUNT(DISTINCT bidder) FILTER (WHERE price >= 10000 AND price < 1000000) AS u2,
       COUNT(DISTINCT bidder) FILTER (WHERE price >= 1000000) AS u3,
       COUNT(DISTINCT auction) AS a,
       COUNT(DISTINCT auction) FILTER (WHERE price < 10000) AS a1,
       COUNT(DISTINCT auction) FILTER (WHERE price >= 10000 AND price < 1000000) AS a2,
       COUNT(DISTINCT auction) FILTER (WHERE price >= 1000000) AS a3
FROM bid GROUP BY DATE_FORMAT(ts, 'yyyy-MM-dd')

--@ q16  distinct counts per channel and day
SELECT channel, DATE_FORMAT(ts, 'yyyy-MM-dd') AS `day`, MAX(DATE_FORMAT(ts, 'HH:mm')) AS `minute`,
       COUNT(*) AS bids,
       COUNT(*) FILTER (WHERE price < 10000) AS b1,
       COUNT(*) FILTER (WHERE price >= 10000 AND price < 1000000) AS b2,
       COUNT(*) FILTER (WHERE price >= 1000000) AS b3,
       COUNT(DISTINCT bidder) AS u,
       COUNT(DISTINCT bidder) FILTER (WHERE price < 10000) AS u1,
       COUNT(DISTINCT bidder) FILTER (WHERE price >= 10000 AND price < 1000000) AS u2,
       COUNT(DISTINCT bidder) FILTER (WHERE price >= 1000000) AS u3,
       COUNT(DISTINCT auction) AS a,
       COUNT(DISTINCT auction) FILTER (WHERE price < 10000) AS a1,
       COUNT(DISTINCT auction) FILTER (WHERE price >= 10000 AND price < 1000000) AS a2,
       COUNT(DISTINCT auction) FILTER (WHERE price >= 1000000) AS a3
FROM bid GROUP BY channel, DATE_FORMAT(ts, 'yyyy-MM-dd')

--@ q17  price statistics per auction and day
SELECT auction, DATE_FORMAT(ts, 'yyyy-MM-dd') AS `day`,
       COUNT(*) AS bids,
       COUNT(*) FILTER (WHERE price < 10000) AS b1,
       COUNT(*) FILTER (WHERE price >= 10000 AND price < 1000000) AS b2,
       COUNT(*) FILTER (WHERE price >= 1000000) AS b3,
       MIN(price) AS lo, MAX(price) AS hi, AVG(price) AS mean, SUM(price) AS total
FROM bid GROUP BY auction, DATE_FORMAT(ts, 'yyyy-MM-dd')

--@ q18  last bid of each bidder on each auction
SELECT auction, bidder, price, channel, url, ts, extra
FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY bidder, auction ORDER BY ts DESC) AS rn FROM bid)
WHERE rn <= 1

--@ q19  ten highest bids of each auction
SELECT * FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY auction ORDER BY price DESC) AS rn FROM bid)
WHERE rn <= 10

--@ q20  bids with their auction, category 10
SELECT b.auction, b.bidder, b.price, b.channel, b.url, b.ts AS bid_ts, b.extra AS bid_extra,
       a.itemName, a.description, a.initialBid, a.reserve, a.ts AS auction_ts, a.expires,
       a.seller, a.category, a.extra AS auction_extra
FROM bid b JOIN auction a ON b.auction = a.id
WHERE a.category = 10

--@ q21  channel id by CASE and regular expression
SELECT auction, bidder, price, channel,
       CASE LOWER(channel) WHEN 'apple' THEN '0' WHEN 'google' THEN '1'
                           WHEN 'facebook' THEN '2' WHEN 'baidu' THEN '3'
            ELSE REGEXP_EXTRACT(url, '(&|^)channel_id=([^&]*)', 2) END AS channel_id
FROM bid
WHERE REGEXP_EXTRACT(url, '(&|^)channel_id=([^&]*)', 2) IS NOT NULL
   OR LOWER(channel) IN ('apple', 'google', 'facebook', 'baidu')

--@ q22  directories of the URL
SELECT auction, bidder, price, channel,
       SPLIT_INDEX(url, '/', 3) AS dir1, SPLIT_INDEX(url, '/', 4) AS dir2, SPLIT_INDEX(url, '/', 5) AS dir3
FROM bid
