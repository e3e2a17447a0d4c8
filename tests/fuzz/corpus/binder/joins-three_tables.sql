CREATE TABLE a (id INT, bid INT);
CREATE TABLE b (id INT, cid INT);
CREATE TABLE c (id INT, name TEXT);
SELECT a.id, c.name FROM a JOIN b ON a.bid = b.id JOIN c ON b.cid = c.id;
