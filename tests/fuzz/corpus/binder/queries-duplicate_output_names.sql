SELECT x, x FROM (VALUES (1)) AS t(x);
