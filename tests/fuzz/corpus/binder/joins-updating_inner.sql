CREATE TABLE a (id INT, x TEXT);
CREATE TABLE b (id INT, y TEXT);
SELECT a.id, x, y FROM a JOIN b ON a.id = b.id;
