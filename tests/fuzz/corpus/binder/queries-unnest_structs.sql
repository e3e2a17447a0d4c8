SELECT u.x.a AS a FROM (SELECT [named_struct('a', 1), named_struct('a', 2)] AS arr) CROSS JOIN UNNEST(arr) AS u(x);
