SELECT min(s) AS a, max(s) AS b, min(d) AS c, max(b) AS e, min(ts) AS f
FROM (VALUES ('b', DATE '2024-01-02', true, TIMESTAMP '2024-01-01 00:00:00'), ('a', DATE '2024-01-01', false, TIMESTAMP '2023-01-01 00:00:00')) AS t(s, d, b, ts);
