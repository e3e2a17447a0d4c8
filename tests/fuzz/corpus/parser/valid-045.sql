SELECT *, t.*, * EXCEPT (a, b), t.* EXCLUDE (c), * REPLACE (a + 1 AS a) FROM t;
