SELECT DATE_FORMAT(ts, 'yyyy-MM-dd') AS `day`, COUNT(DISTINCT bidder) FILTER (WHERE price >= 10000 AND price < 1000000) AS u2 FROM bid GROUP BY DATE_FORMAT(ts, 'yyyy-MM-dd');
