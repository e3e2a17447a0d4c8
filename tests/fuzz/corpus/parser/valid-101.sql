SELECT ARRAY[1, 2], [1, 2], [], ARRAY[], MAP {'a': 1, b: 2}, MAP {}, MAP['a', 1], STRUCT(1, 2 AS b), ROW(1, 'x'), (1, 2);
