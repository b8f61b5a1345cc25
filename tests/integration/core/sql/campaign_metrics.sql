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
