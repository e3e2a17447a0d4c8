CREATE TABLE a (id INT);
CREATE TABLE b (id INT, v INT);
SELECT count(*) AS n, count(v) AS matched, sum(v) AS s FROM (SELECT a.id AS id, b.v AS v FROM a LEFT JOIN b ON a.id = b.id);
