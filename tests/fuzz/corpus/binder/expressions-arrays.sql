SELECT a[1] AS x, a[-1] AS y, a[9] AS z, a[0] AS o, a[2:3] AS s, array_length(a) AS n, array_contains(a, 20) AS c FROM (SELECT [10, 20, 30] AS a);
