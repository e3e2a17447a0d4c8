RESET updating_ttl;
