SELECT a timestamp, b start, c end, d count, e window, f offset, g partition, h key, i value, j hour, k date, l time, m first, n last, o interval, p text, q session, r begin FROM t rows;
