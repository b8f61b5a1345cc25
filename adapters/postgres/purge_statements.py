"""How the rows of purged emails go, by email log id; table names resolve by the transaction's search_path."""

from typing import Final

PURGED: Final = (
    "SELECT p.email_log_id FROM ops.purged_emails p JOIN email_logs e ON e.id = p.email_log_id WHERE p.purge_id = %s"
)
PURGE: Final = (
    # A contact says what the first email to them told: if that one goes, what the first of the others tells.
    """
    UPDATE campaign_contacts c SET campaign_id = e.campaign_id, contact_id = e.recipient_id
    FROM (
        SELECT DISTINCT ON (o.campaign_contact_id) o.campaign_contact_id, o.campaign_id, o.recipient_id
        FROM email_logs g JOIN email_logs o ON o.campaign_contact_id = g.campaign_contact_id
        WHERE g.id = ANY(%(gone)s) AND NOT o.id = ANY(%(gone)s) ORDER BY o.campaign_contact_id, o.id
    ) e
    WHERE c.id = e.campaign_contact_id
        AND (c.campaign_id, c.contact_id) IS DISTINCT FROM (e.campaign_id, e.recipient_id)
    """,
    "DELETE FROM email_links WHERE email_log_id = ANY(%(gone)s)",
    """
    WITH gone AS (DELETE FROM email_engagement_events WHERE email_log_id = ANY(%(gone)s) RETURNING event_id)
    DELETE FROM engagement_tracking WHERE id IN (SELECT event_id FROM gone)
    """,
    "DELETE FROM automated_engagement WHERE email_log_id = ANY(%(gone)s)",
    # The statement sees the emails that it deletes.
    """
    WITH gone AS (DELETE FROM email_logs WHERE id = ANY(%(gone)s) RETURNING campaign_contact_id)
    DELETE FROM campaign_contacts c USING gone WHERE c.id = gone.campaign_contact_id AND NOT EXISTS (
        SELECT FROM email_logs e WHERE e.campaign_contact_id = c.id AND NOT e.id = ANY(%(gone)s))
    """,
)
"""In this order; each takes ``gone``."""
