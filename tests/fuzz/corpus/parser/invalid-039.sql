SELECT * FROM t WITH (connector 'x')
