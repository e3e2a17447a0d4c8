SELECT length(repeat('ab', 100000)) AS n, right(repeat('ab', 100000) || 'é', 2) AS r;
