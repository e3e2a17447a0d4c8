SELECT sum(x) AS s, max(x) AS m FROM (VALUES ('t(x);
Infinity'::DOUBLE), (1.0)) AS t(x);
