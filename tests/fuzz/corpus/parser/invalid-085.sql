SELECT count(*) FROM t GROUP BY window(ts) WINDW w AS (x)
