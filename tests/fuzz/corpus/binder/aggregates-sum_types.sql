SELECT sum(i) AS i, typeof(sum(i)) AS ti, sum(d) AS d, sum(f) AS f
FROM (SELECT x AS i, x::DECIMAL(5,2) AS d, x / 2.0 AS f FROM (VALUES (1), (2)) AS t(x));
