SELECT k, count(*) AS n FROM (
  SELECT x::DECIMAL(5,2) AS k FROM (VALUES ('1.0'), ('1.00'), ('1.01')) AS t(x)) GROUP BY k;
