UPDATE t SET a = 1 WHERE b = 'x';
