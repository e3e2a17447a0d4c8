SELECT a FROM t HAVNG count(*) > 1
