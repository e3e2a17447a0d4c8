SELECT x FROM (VALUES (1), (NULL), (3)) AS t(x) WHERE NOT (x = 1);
