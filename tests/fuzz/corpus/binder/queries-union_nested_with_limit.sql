SELECT count(*) AS n FROM (SELECT x FROM (VALUES (1), (2), (3)) AS t(x) LIMIT 2);
