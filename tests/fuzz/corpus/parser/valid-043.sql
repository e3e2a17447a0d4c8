SELECT ALL a, b AS x, c y, "D" "E", `f` FROM t;
