SELECT json_value(j, '$.a' RETURNING INT) + 1 AS a, json_value(j, '$.x' DEFAULT 'none' ON EMPTY) AS b FROM (VALUES ('{"a":41}')) AS t(j);
