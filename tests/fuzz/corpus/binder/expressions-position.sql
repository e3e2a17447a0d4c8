SELECT position('c' IN 'abc') AS a, strpos('abc', 'z') AS b, length('naïve') AS c, octet_length('naïve') AS d, reverse('añb') AS e;
