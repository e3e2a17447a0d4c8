SELECT x FROM t WHERE a = “b”
