SELECT x = x AS a, x > 1e308 AS b FROM (VALUES ('NaN'::DOUBLE)) AS t(x);
