SELECT a = b, a == b, a <> b, a != b, a < b, a <= b, a > b, a >= b, a <=> b, a IS DISTINCT FROM b, a IS NOT DISTINCT FROM b + 1;
