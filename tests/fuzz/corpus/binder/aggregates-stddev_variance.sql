SELECT stddev(x) AS s, stddev_pop(x) AS sp, var_samp(x) AS v, var_pop(x) AS vp, stddev(y) AS one
FROM (VALUES (1, 5), (3, NULL)) AS t(x, y);
