SELECT j -> 'a' AS a, j ->> 's' AS b, j -> 'a' -> 0 AS c, j -> 'nope' AS d, j ->> 'n' AS e, j -> 's' AS f
FROM (VALUES ('{"a":[1,2],"s":"x","n":null}'::JSON)) AS t(j);
