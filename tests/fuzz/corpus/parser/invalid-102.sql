SELECT a FROM t WHERE a = 'it's'
