SELECT sum(a) OVER (partition), sum(b) OVER (rows) FROM t WINDOW partition AS (ORDER BY a)
