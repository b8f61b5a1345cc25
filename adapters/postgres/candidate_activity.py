"""How a candidate's activity is counted from ``email_logs e``: for the kept ranking and for live answers."""

from typing import Final

RECENT: Final = "CROSS JOIN LATERAL (SELECT e.tracking AND e.sent_at > %(since)s AS recent) r"
"""Which emails count; ``since`` is 90 days ago."""

SCORED: Final = """
    count(*) FILTER (WHERE recent) AS emails_sent,
    count(*) FILTER (WHERE recent AND e.open_count + e.click_count > 0) AS emails_opened,
    count(*) FILTER (WHERE recent AND e.click_count > 0) AS emails_clicked,
    count(*) FILTER (WHERE recent AND e.reply_count > 0) AS emails_replied,
    max(e.last_engaged_at) FILTER (WHERE recent) AS last_engaged_at,
    min(e.sent_at) FILTER (WHERE recent) AS oldest_sent_at,
    coalesce(bool_or(e.bounce_type = 'hard') FILTER (WHERE e.sent_at > %(since)s), false) AS hard_bounced,
    bool_or(e.unsubscribed_at IS NOT NULL) AS unsubscribed
"""
"""The fields of `CandidateActivity`."""

ACTIVITY: Final = f"""
    (array_agg(e.recipient_name ORDER BY e.sent_at DESC, e.id DESC))[1] AS name,
    {SCORED},
    coalesce(sum(e.machine_open_count) FILTER (WHERE recent), 0)::integer AS machine_open_count,
    coalesce(sum(e.scanner_click_count) FILTER (WHERE recent), 0)::integer AS scanner_click_count,
    count(*) FILTER (WHERE recent AND e.open_count + e.click_count + e.machine_open_count + e.scanner_click_count > 0)
        AS raw_opened,
    count(*) FILTER (WHERE recent AND e.click_count + e.scanner_click_count > 0) AS raw_clicked
"""
"""The candidate's latest name, the fields of `CandidateActivity`, then those of `AutomatedActivity`."""
