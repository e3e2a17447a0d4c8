SELECT k FROM (VALUES ('a'), ('a'), (NULL)) AS t(k) GROUP BY k;
