SELECT 1, 1.5, .5, 1., 1e3, 1.5E-3, 0x1F, 1_000_000, 'it''s', E'a\nb', X'0AFF', TRUE, FALSE, NULL;
