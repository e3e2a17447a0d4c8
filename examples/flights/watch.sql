-- As flights.sql, asked of a folder that is watched: flights that are put there later are read as well, so
-- this goes on until it is stopped. A week comes out once a flight of the next week has been seen.

CREATE TABLE flights (
  date TIMESTAMP,
  delay INT,                 -- minutes; negative: early
  distance INT,
  origin TEXT,
  destination TEXT,
  WATERMARK FOR date AS date - INTERVAL '1' HOUR
) WITH (connector = 'filesystem', path = 'examples/flights/data/*.ndjson', scan_interval = '1 second', format = 'json', type = 'source');

CREATE TABLE airports (iata TEXT, city TEXT, state TEXT)
WITH (connector = 'single_file', path = 'examples/flights/data/airports.csv', format = 'csv', type = 'source');

-- 1. A windowed aggregate: one row per airport and week, once the week is over.
CREATE VIEW weekly AS
SELECT TUMBLE(INTERVAL '7' DAY) AS window, origin, count(*) AS flights, avg(delay) AS mean_delay
FROM flights
GROUP BY window, origin;

-- 2. A top-N per window.
CREATE VIEW worst AS
SELECT * FROM (
  SELECT window, origin, flights, mean_delay,
         row_number() OVER (PARTITION BY window ORDER BY mean_delay DESC) AS place
  FROM weekly
  WHERE flights >= 10
) WHERE place <= 3;

-- 3. A join with the airports' names.
SELECT w.window.start AS week, w.place, a.city, a.state, w.flights, round(w.mean_delay, 1) AS mean_delay
FROM worst w JOIN airports a ON w.origin = a.iata;
