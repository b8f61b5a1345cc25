-- Step 2: Check for duplicate event
SELECT id FROM email_engagement_events
WHERE email_log_id = @email_log_id
  AND event_type = @event_type
  AND occurred_at = @timestamp;
