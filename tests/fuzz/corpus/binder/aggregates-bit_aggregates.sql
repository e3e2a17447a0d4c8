SELECT bit_and(x) AS a, bit_or(x) AS o, bit_xor(x) AS e FROM (VALUES (6), (3), (NULL)) AS t(x);
