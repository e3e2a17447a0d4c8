SELECT a LIKE 'x%', a NOT LIKE 'y' ESCAPE '!', a ILIKE 'z', a SIMILAR TO 'w+', a NOT SIMILAR TO 'v', a ~ 'x', a ~* 'y', a !~ 'z', a !~* 'w';
