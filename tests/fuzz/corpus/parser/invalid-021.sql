SELECT a WHERE b = 'x AND c = 'y';
