SELECT * FROM a LEFT SEMI JOIN b ON a.x = b.x ANTI JOIN c ON a.x = c.x;
