CREATE TEMPORARY TABLE IF NOT EXISTS dim (id BIGINT PRIMARY KEY, name TEXT) WITH ('connector' = 'redis', lookup.cache.max_bytes = 1000);
