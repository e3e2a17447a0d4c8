((SELECT 1));
