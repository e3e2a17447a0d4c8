SET timezone TO 'UTC';
