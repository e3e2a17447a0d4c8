SELECT id, ROW_NUMBER() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.ts ASC) AS rn FROM a JOIN b ON a.id = b.auction WHERE b.ts BETWEEN a.ts AND a.expires;
