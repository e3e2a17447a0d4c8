SELECT json_get_int(j, 'i') AS a, json_get_str(j, 'i') AS b, json_get_float(j, 'i') AS c, json_get_bool(j, 'b') AS d, json_length(j, 'l') AS e, json_contains(j, 'n') AS f, json_as_text(j, 'l', 1) AS g
FROM (VALUES ('{"i":7,"b":true,"l":[1,2],"n":null}')) AS t(j);
