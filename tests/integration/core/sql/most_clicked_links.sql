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
