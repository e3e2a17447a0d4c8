SELECT json_agg(x ORDER BY x) AS a, json_object_agg('k' || x, x) AS o FROM (VALUES (1), (2)) AS t(x);
