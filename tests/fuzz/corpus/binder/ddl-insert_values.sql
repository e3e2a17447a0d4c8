CREATE TABLE mem (a INT, b TEXT);
INSERT INTO mem VALUES (1, 'x'), (2, NULL);
SELECT a, b FROM mem;
