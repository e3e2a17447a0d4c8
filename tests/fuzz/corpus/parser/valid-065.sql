SELECT ((SELECT 1) + 2), ((SELECT 1)), (SELECT max(a) FROM t);
