SELECT group, b FROM t
