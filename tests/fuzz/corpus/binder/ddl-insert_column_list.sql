CREATE TABLE src (v INT);
CREATE TABLE mem (a INT, b INT, c TEXT);
INSERT INTO mem (c, a) SELECT 'x', v FROM src;
SELECT a, b, c FROM mem;
