SELECT 1 + 2 * 3 - -4 / +5 % 6 ^ 7, a || b || c, a & b | c # d << 1 >> 2, NOT a AND b OR NOT c;
