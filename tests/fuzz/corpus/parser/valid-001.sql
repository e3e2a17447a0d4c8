CREATE PIPELINE user_analytics AS

INSERT INTO user_metrics
SELECT
  user_id,
  event_type,
  COUNT(*) as event_count,
  TUMBLE_START(timestamp, INTERVAL '1' HOUR) as window_start
FROM user_events  -- Source connection table
GROUP BY
  user_id,
  event_type,
  TUMBLE(timestamp, INTERVAL '1' HOUR);
