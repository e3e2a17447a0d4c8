SELECT k, sum(v) AS s FROM (VALUES ('a', 1), ('a', 2)) AS t(k, v) GROUP BY 1;
