SELECT * REPLACE (y * 10 AS y) FROM (VALUES (1, 2)) AS t(x, y);
