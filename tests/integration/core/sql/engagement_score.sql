-- Calculate candidate engagement score (0-100)
SELECT
    recipient_id AS candidate_id,
    (
        -- Recency factor (max 30 points)
        CASE
            WHEN MAX(ee.occurred_at) > NOW() - INTERVAL '24 hours' THEN 30
            WHEN MAX(ee.occurred_at) > NOW() - INTERVAL '7 days' THEN 20
            WHEN MAX(ee.occurred_at) > NOW() - INTERVAL '30 days' THEN 10
            ELSE 0
        END
        +
        -- Open rate factor (max 30 points)
        ROUND(
            (COUNT(DISTINCT CASE WHEN ee.event_type = 'open' THEN el.id END)::decimal /
             NULLIF(COUNT(DISTINCT el.id), 0)) * 30
        )
        +
        -- Click rate factor (max 40 points)
        ROUND(
            (COUNT(DISTINCT CASE WHEN ee.event_type = 'click' THEN el.id END)::decimal /
             NULLIF(COUNT(DISTINCT el.id), 0)) * 40
        )
    ) as engagement_score
FROM email_logs el
LEFT JOIN email_engagement_events ee ON el.id = ee.email_log_id
WHERE el.recipient_type = 'Candidate'
  AND el.recipient_id = @candidate_id
  AND el.sent_at > NOW() - INTERVAL '90 days'
GROUP BY candidate_id;
