"""The example queries that come with the tables, unchanged but for their placeholder values.

In the score query ``candidate_id`` is ``recipient_id AS candidate_id``, as the contract allows.
"""

CAMPAIGN_METRICS = """
-- Calculate engagement metrics for a campaign
SELECT
  COUNT(DISTINCT campaign_contact_id) as total_recipients,
  COUNT(DISTINCT campaign_contact_id) FILTER (WHERE event_type = 'opened') as opens,
  COUNT(DISTINCT campaign_contact_id) FILTER (WHERE event_type = 'clicked') as clicks,
  COUNT(*) FILTER (WHERE event_type = 'clicked') as total_clicks,
  COUNT(DISTINCT campaign_contact_id) FILTER (WHERE event_type = 'opened') * 100.0 /
    COUNT(DISTINCT campaign_contact_id) as open_rate,
  COUNT(DISTINCT campaign_contact_id) FILTER (WHERE event_type = 'clicked') * 100.0 /
    COUNT(DISTINCT campaign_contact_id) as click_rate
FROM engagement_tracking et
JOIN campaign_contacts cc ON et.campaign_contact_id = cc.id
WHERE cc.campaign_id = 'campaign-uuid';
"""

MOST_CLICKED = """
-- Get most clicked links
SELECT
  clicked_url,
  COUNT(*) as click_count,
  COUNT(DISTINCT campaign_contact_id) as unique_clicks
FROM engagement_tracking
WHERE event_type = 'clicked'
  AND clicked_url IS NOT NULL
GROUP BY clicked_url
ORDER BY click_count DESC
LIMIT 20;
"""

HIGHLY_ENGAGED = """
-- Find highly engaged contacts
SELECT
  cc.contact_id,
  COUNT(DISTINCT CASE WHEN et.event_type = 'opened' THEN et.id END) as opens,
  COUNT(DISTINCT CASE WHEN et.event_type = 'clicked' THEN et.id END) as clicks
FROM campaign_contacts cc
LEFT JOIN engagement_tracking et ON cc.id = et.campaign_contact_id
GROUP BY cc.contact_id
HAVING COUNT(DISTINCT CASE WHEN et.event_type = 'clicked' THEN et.id END) >= 3
ORDER BY clicks DESC;
"""

ENGAGEMENT_SCORE = """
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
  AND el.recipient_id = %(candidate_id)s
  AND el.sent_at > NOW() - INTERVAL '90 days'
GROUP BY candidate_id;
"""
