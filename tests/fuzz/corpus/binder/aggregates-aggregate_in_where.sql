SELECT x FROM (VALUES (1)) AS t(x) WHERE count(*) > 1;
