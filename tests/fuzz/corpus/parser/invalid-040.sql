SELECT * FROM t WITH (connector = 'x' topic = 'y')
