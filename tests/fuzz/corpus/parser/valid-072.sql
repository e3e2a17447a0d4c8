SELECT * FROM t, UNNEST(t.arr) AS u (x);
