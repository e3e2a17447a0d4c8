CREATE PIPELINE event_processor AS INSERT INTO processed_events
SELECT event_id, user_id, event_type, UPPER(event_type) as normalized_type,
  JSON_VALUE(properties, '$.amount') as amount, timestamp
FROM raw_events WHERE event_type IS NOT NULL;
