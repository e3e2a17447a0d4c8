SELECT substring('naïve', 3, 2) AS a, substr('abc', 0, 2) AS b, substring('abc' FROM 2) AS c, substring('abc', 10) AS d, left('äbc', 1) AS e;
