SELECT a offset FROM t window WHERE offset > 5 ORDER BY window LIMIT 10 OFFSET 5;
