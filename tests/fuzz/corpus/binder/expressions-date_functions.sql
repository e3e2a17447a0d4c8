SELECT to_timestamp_millis(1500) AS a, to_timestamp(2) AS b, date_format(TIMESTAMP '2024-02-29 10:20:30', 'yyyy-MM-dd HH:mm:ss') AS c,
  to_char(TIMESTAMP '2024-02-29 10:20:30', '%Y/%m/%d') AS d, to_date('29.02.2024', 'dd.MM.yyyy') AS e, timestampdiff(HOUR, TIMESTAMP '2024-01-01 00:00:00', TIMESTAMP '2024-01-01 01:59:00') AS f;
