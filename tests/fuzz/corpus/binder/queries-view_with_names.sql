CREATE VIEW v (a, b) AS SELECT x, x + 1 FROM (VALUES (1)) AS t(x);
SELECT b, a FROM v;
