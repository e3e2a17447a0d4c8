CREATE TABLE t (timestamp TEXT, start INT, end INT, count INT, min INT, max INT, sum INT, value INT, key TEXT, hour INT, date TEXT, user TEXT, type TEXT, window INT, offset INT, rows INT);
SELECT timestamp, start, end, count, min, max, sum, value, key, hour, date, user, type, window, offset, rows FROM t WHERE start < end;
