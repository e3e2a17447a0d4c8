SET updating_ttl = '1 minute';
CREATE TABLE a (id INT);
CREATE TABLE b (id INT);
SELECT a.id FROM a JOIN b ON a.id = b.id;
