SELECT * FROM a, b JOIN c ON b.x = c.x, d WHERE a.x = b.x;
