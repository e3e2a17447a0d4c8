SELECT * FROM session (user TEXT) WITH (connector = 'x');
