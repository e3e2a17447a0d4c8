SELECT a BETWEEN 1 AND 2 AND b NOT BETWEEN SYMMETRIC 3 + 1 AND 4, a IN (1, 2), a NOT IN ('x'), (a, b) IN ((1, 2), (3, 4));
