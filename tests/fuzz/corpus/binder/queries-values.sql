SELECT b, a FROM (VALUES (1, 'x'), (2, NULL)) AS t(a, b);
