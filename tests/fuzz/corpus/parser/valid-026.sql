SET 'parallelism' = '4';
