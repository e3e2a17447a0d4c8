SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY price DESC), array_agg(DISTINCT a ORDER BY b DESC), string_agg(a, ',' ORDER BY b), group_concat(a ORDER BY b SEPARATOR ';') FROM t;
