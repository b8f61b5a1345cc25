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
