SELECT 'it''s' AS a, E'a\tb' AS b, length('') AS c, 'é' = 'é' AS d;
