SELECT round(corr(y, x), 9) AS c, regr_slope(y, x) AS s, regr_intercept(y, x) AS i, regr_count(y, x) AS n
FROM (VALUES (3, 1), (5, 2), (7, 3), (NULL, 100)) AS t(y, x);
