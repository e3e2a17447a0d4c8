SET updating_ttl = '1 minute';
CREATE TABLE t (v INT);
SELECT DISTINCT v FROM t;
