SELECT a FROM t WHERE a LIKE ANY ('a', 'b')
