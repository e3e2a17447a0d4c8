SELECT a IS DISTINCT FROM b AS d, a <=> b AS e FROM (VALUES (1, NULL), (NULL, NULL), (1, 1)) AS t(a, b);
