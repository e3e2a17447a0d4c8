SELECT sum(x) / count(*) AS a, sum(x) + 1 AS b, max(x) - min(x) AS r FROM (VALUES (1), (2), (6)) AS t(x);
