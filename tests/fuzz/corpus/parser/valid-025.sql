SET updating_ttl = INTERVAL '1' DAY;
