-- Step 1: Find email log by message_id
SELECT id, organization_id, sender_id, recipient_id
FROM email_logs
WHERE message_id = @message_id;
