SELECT a AS select, b FROM t
