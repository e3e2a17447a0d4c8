CREATE TABLE bids (item TEXT, price INT);
SELECT item FROM (SELECT item, row_number() OVER (ORDER BY price DESC) AS rn FROM bids) WHERE rn <= 1;
