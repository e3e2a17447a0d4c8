SELECT x + 1 AS y, y * 2 AS z FROM (VALUES (1)) AS t(x);
SELECT x + 1 AS k, k AS z FROM (VALUES (1, 50)) AS t(x, k);
