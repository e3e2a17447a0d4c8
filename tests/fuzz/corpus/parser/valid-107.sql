--pk=id
SELECT a FROM t;
