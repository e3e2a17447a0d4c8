SELECT * FROM system.tables s;
