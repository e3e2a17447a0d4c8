SELECT CURRENT_TIMESTAMP, CURRENT_DATE, now(), LOCALTIMESTAMP, ts AT TIME ZONE 'Europe/Berlin', left(s, 1), right(s, 2), replace(a, 'x', 'y'), if(a, 1, 2);
