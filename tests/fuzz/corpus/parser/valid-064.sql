SELECT * FROM ((SELECT 1 AS a) x JOIN (SELECT 1 AS b) y ON x.a = y.b);
