CREATE TABLE bids (item TEXT, price INT);
SELECT item, price FROM (
  SELECT item, price, row_number() OVER (ORDER BY price DESC) AS rn FROM bids) WHERE rn <= 2;
