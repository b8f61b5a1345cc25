"""Examples for the OpenAPI document: one interview invitation, and what became of it."""

from typing import Final

EMAIL_ID: Final = "2f6b6c1e-7a51-5b0e-9d0c-3c1f5f3a9e11"
CAMPAIGN_ID: Final = "6f0c2a34-5b1d-4c8e-9a77-0d1e2f3a4b5c"
CONTACT_ID: Final = "9a1bd2c3-1f2e-4a3b-8c4d-5e6f7a8b9c0d"
ENDPOINT_ID: Final = "0b9f3a52-68f1-4d0a-8f53-9b8a4c1de2f7"
TOKEN_ID: Final = "c7d4a1b0-2e3f-4a5b-8c6d-7e8f9a0b1c2d"  # noqa: S105  an id
SENT_AT: Final = "2026-11-21T09:00:00Z"
OPENED_AT: Final = "2026-11-21T09:04:10Z"
CLICKED_AT: Final = "2026-11-21T09:04:31Z"
LINK: Final = "https://example.com/interviews/42"

REGISTRATION: Final = {
    "provider": "sendgrid",
    "message_id": "14c5d75ce93",
    "sent_at": SENT_AT,
    "subject": "Interview Invitation - Software Engineer",
    "recipient": {"type": "Candidate", "id": "c-1", "email": "john@example.com", "name": "John Smith"},
    "sender": {"id": "r-7", "name": "Ada Recruiter"},
    "job": {"id": "j-3", "title": "Software Engineer", "hiring_manager_id": "h-2"},
    "template": {"id": "interview-invite", "name": "Interview Invitation"},
    "campaign_id": CAMPAIGN_ID,
    "campaign_contact_id": CONTACT_ID,
    "tracking": True,
    "internet_message_id": "<invite-17@mail.example.com>",
    "reply_domain": "reply.example.com",
}
REPLY_TO: Final = "reply+aexw5dr6pji3mdutbq6b6xz2tyixsbnhd4pfp2v5bw2n4ya@reply.example.com"
REGISTERED: Final = {
    "email_id": EMAIL_ID,
    "email_log_id": 4711,
    "tracking_id": "0Yb3m0Jk2u9b4xw7n1c5Zw",
    "status": "registered",
    "reply_to": REPLY_TO,
}
PIXEL_TOKEN: Final = "q3Vn0cQ2m7wYb1x8LkTzUe5HsR9aJd4FgPoIiN6vXyWtBrCEZhMKlDuGjSA_O-fp"  # noqa: S105  opens nothing
TO_INSTRUMENT: Final = REGISTRATION | {
    "provider": "email",
    "message_id": "20261121.42@mail.example.com",
    "html": f'<p>Hello, <a href="{LINK}">choose a time</a>.</p><p><a href="{{{{unsubscribe_url}}}}">No more</a></p>',
    "text": f"Hello, choose a time: {LINK}",
}
INSTRUMENTED: Final = {
    "email_id": EMAIL_ID,
    "email_log_id": 4711,
    "tracking_id": "0Yb3m0Jk2u9b4xw7n1c5Zw",
    "html": (
        '<p>Hello, <a href="https://pulse.example.com/t/c/mB7…">choose a time</a>.</p>'
        '<p><a href="https://pulse.example.com/t/u/Zk1…">No more</a></p>'
        f'<img src="https://pulse.example.com/t/o/{PIXEL_TOKEN}" width="1" height="1" alt="" '
        'style="border:0;width:1px;height:1px">'
    ),
    "text": "Hello, choose a time: https://pulse.example.com/t/c/p0X…",
    "headers": {
        "List-Unsubscribe": "<https://pulse.example.com/t/u/Zk1…>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Message-ID": "<20261121.42@mail.example.com>",
        "Reply-To": REPLY_TO,
    },
    "reply_to": REPLY_TO,
    "tracked": True,
    "reason": None,
    "links": 2,
}
EMAIL: Final = {
    "email_id": EMAIL_ID,
    "email_log_id": 4711,
    "provider": "sendgrid",
    "message_id": "14c5d75ce93",
    "tracking_id": "0Yb3m0Jk2u9b4xw7n1c5Zw",
    "tracking": True,
    "subject": "Interview Invitation - Software Engineer",
    "recipient": {"type": "Candidate", "id": "c-1", "email": "john@example.com", "name": "John Smith"},
    "sender": {"id": "r-7", "name": "Ada Recruiter"},
    "job_id": "j-3",
    "template": {"id": "interview-invite", "name": "Interview Invitation"},
    "campaign_id": CAMPAIGN_ID,
    "campaign_contact_id": CONTACT_ID,
    "sent_at": SENT_AT,
    "delivered_at": "2026-11-21T09:00:02Z",
    "opened_at": OPENED_AT,
    "open_count": 2,
    "clicked_at": CLICKED_AT,
    "click_count": 1,
    "unique_click_count": 1,
    "replied_at": None,
    "reply_count": 0,
    "bounced_at": None,
    "bounce_type": None,
    "bounce_reason": None,
    "dropped_at": None,
    "drop_reason": None,
    "unsubscribed_at": None,
    "spam_reported_at": None,
    "machine_open_count": 1,
    "scanner_click_count": 0,
    "time_to_open_seconds": 250.0,
}
EVENT: Final = {
    "engagement_event_id": 4719,
    "id": "8d3f7a10-0c55-4c0f-9b39-5d1f6a7b8c9d",
    "email_log_id": 4711,
    "event_type": "click",
    "occurred_at": CLICKED_AT,
    "url": LINK,
    "ip_address": "203.0.113.7",
    "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)",
    "event_data": {"link_text": "Choose a time", "link_position": "1", "device_type": "mobile"},
    "verdict": "human",
    "reasons": [],
}
CANDIDATE: Final = {
    "candidate_id": "c-1",
    "name": "John Smith",
    "score": 73,
    "level": "warm",
    "level_reason": "",
    "score_parts": {"recency": 30, "opens": 23, "clicks": 20, "replies": 0},
    "emails_sent": 4,
    "emails_opened": 3,
    "emails_clicked": 2,
    "emails_replied": 0,
    "open_percent": 75.0,
    "click_percent": 50.0,
    "last_engaged_at": CLICKED_AT,
    "machine_open_count": 2,
    "scanner_click_count": 5,
}
ACTIVITY: Final = {
    "event_type": "click",
    "occurred_at": CLICKED_AT,
    "email_id": EMAIL_ID,
    "email_log_id": 4711,
    "subject": "Interview Invitation - Software Engineer",
    "url": LINK,
}
METRICS: Final = {
    "sent": 245,
    "delivered": 241,
    "opened": 167,
    "clicked": 59,
    "total_clicks": 83,
    "replied": 31,
    "bounced": 4,
    "unsubscribed": 1,
    "spam_reported": 0,
    "machine_opens": 48,
    "scanner_clicks": 17,
    "open_rate": 68.16,
    "click_rate": 24.08,
    "click_to_open_rate": 35.33,
    "bounce_rate": 1.63,
    "unsubscribe_rate": 0.41,
    "reply_rate": 12.65,
    "avg_time_to_open_seconds": 5412.0,
}
LINK_CLICKS: Final = {
    "url": LINK,
    "link_position": None,
    "link_text": None,
    "click_count": 83,
    "unique_clicks": 59,
    "scanner_click_count": 17,
}
CANDIDATE_LINK_CLICKS: Final = {
    "url": LINK,
    "link_position": "header",
    "link_text": "Choose a time",
    "click_count": 3,
    "unique_clicks": 2,
    "scanner_click_count": 1,
    "first_clicked_at": CLICKED_AT,
}
CONTACT: Final = {
    "contact_id": "c-1",
    "opens": 5,
    "clicks": 4,
    "machine_open_count": 2,
    "scanner_click_count": 5,
}
NOT_ENGAGED_CONTACT: Final = {
    "contact_id": "c-2",
    "name": "Jane Doe",
    "email": "jane@example.com",
    "emails": 2,
    "last_sent_at": SENT_AT,
}
COMPLIANCE_RECORD: Final[dict[str, object]] = {
    "occurred_at": "2026-11-21T11:30:00Z",
    "recipient_email": "john@example.com",
    "recipient_name": "John Smith",
    "recipient_type": "Candidate",
    "recipient_id": "c-1",
    "email_id": EMAIL_ID,
    "email_log_id": 4711,
    "subject": "Interview Invitation - Software Engineer",
    "sent_at": SENT_AT,
    "campaign_id": CAMPAIGN_ID,
    "template_id": "interview-invite",
    "template_name": "Interview Invitation",
    "job_id": "j-3",
    "sender_id": "r-7",
    "provider": "sendgrid",
    "message_id": "14c5d75ce93",
}
_ARRIVED: Final = {
    "sent": 245,
    "delivered": 241,
    "dropped": 2,
    "bounced": 4,
    "bounces": {"hard": 3, "block": 0, "soft": 1},
    "bounce_reasons": [
        {"kind": "hard", "reason": "mailbox_does_not_exist", "emails": 3},
        {"kind": "soft", "reason": "mailbox_full", "emails": 1},
    ],
    "spam_reported": 1,
    "unsubscribed": 2,
    "delivery_rate": 98.37,
    "bounce_rate": 1.63,
    "spam_rate": 0.41,
}
DELIVERABILITY: Final = {
    "start": "2026-11-01T00:00:00Z",
    "end": "2026-12-01T00:00:00Z",
    "total": _ARRIVED,
    "items": [_ARRIVED | {"domain": "example.com"}],
    "rest": None,
}
PARKED: Final = {
    "id": 12,
    "status": "orphaned",
    "provider": "sendgrid",
    "endpoint_id": ENDPOINT_ID,
    "reason": "no registered email has this message id and recipient",
    "message_id": "14c5d75ce93",
    "email_id": EMAIL_ID,
    "delivery_id": 88,
    "received_at": OPENED_AT,
    "parked_at": OPENED_AT,
    "times_seen": 1,
}
API_KEY: Final = "mp_key_JSqT0bXl3nE8yq1c5vU2wR7zA9dK4fH6gM0pB-sN_tY"
USER_TOKEN: Final = "mp_user_4fH6gM0pBsN-tYJSqT0bXl3nE8yq1c5vU2wR7zA9dK_"  # noqa: S105  opens nothing
SIGN_IN_CODE: Final = "mp_link_4fH6gM0pBsN-tYJSqT0bXl3nE8yq1c5vU2wR7zA9dK_"
WEBHOOK_ENDPOINT: Final = {
    "endpoint_id": ENDPOINT_ID,
    "path": f"/webhooks/sendgrid/{ENDPOINT_ID}",
    "provider": "sendgrid",
    "key_fingerprints": ["5f0c9b1a7d3e2468"],
    "allowed_networks": ["203.0.113.0/24"],
    "requests_per_minute": 600000,
    "tolerance_s": None,
    "created_at": SENT_AT,
    "disabled_at": None,
}


OUTGOING_WEBHOOK_ID: Final = "3c9d1f7e-5b0a-4e55-9a63-1d2f0b8c7e41"
OUTGOING_WEBHOOK: Final[dict[str, object]] = {
    "webhook_id": OUTGOING_WEBHOOK_ID,
    "url": "https://ats.example.com/mailpulse",
    "kinds": ["open", "click", "reply", "bounce", "digest"],
    "state": "on",
    "created_at": SENT_AT,
    "secrets": [{"fingerprint": "9b1a7d3e24685f0c", "created_at": SENT_AT, "expires_at": None}],
    "failing_since": None,
    "next_attempt_not_before": None,
    "switched_off_at": None,
    "switched_off_because": None,
    "last_delivered_at": OPENED_AT,
    "waiting": 0,
}
NEW_SECRET: Final = {
    "webhook": OUTGOING_WEBHOOK,
    "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDCIhs0F2bBr4=",
}
OUTGOING_DELIVERY: Final = {
    "id": 4711,
    "message_id": "msg_7d1f0f0e0c534b1e9d557f3bb0d2a6c1_558",
    "kind": "notification",
    "notification_id": "7d1f0f0e-0c53-4b1e-9d55-7f3bb0d2a6c1",
    "status": "delivered",
    "reason": "",
    "created_at": OPENED_AT,
    "next_attempt_at": None,
    "finished_at": OPENED_AT,
    "attempts": [
        {"number": 1, "attempted_at": OPENED_AT, "outcome": "delivered", "http_status": 204, "duration_ms": 41},
    ],
}
ALIVE: Final = {"status": "alive"}
READY: Final = {"status": "ready", "checks": {"postgresql": "ok", "redis": "ok"}}
NOT_READY: Final = {"status": "unavailable", "checks": {"postgresql": "unavailable", "redis": "ok"}}
MEASUREMENTS: Final = """\
# HELP mailpulse_webhook_refusals_total Webhooks refused, by reason.
# TYPE mailpulse_webhook_refusals_total counter
mailpulse_webhook_refusals_total{provider="sendgrid",reason="signature_mismatch"} 2.0
"""


def a_list_of(item: object) -> dict[str, object]:
    """Give a page that holds one item."""
    return {"items": [item], "next_cursor": None}


TRACKING_POLICY: Final = {
    "tracking_enabled": True,
    "privacy_mode": False,
    "consent_mode": "opt_in",
    "ip_handling": "truncate",
    "retention_days": 730,
    "notifications_enabled": True,
    "unsubscribe_ends_tracking": True,
}
CONSENT: Final = {"consent": "opted_out", "source": "api", "since": CLICKED_AT}
DASHBOARD: Final = {
    "basis": "cohort",
    "period": {"from": "2026-10-23", "to": "2026-11-21", "tz": "Europe/Berlin"},
    "previous_period": {"from": "2026-09-23", "to": "2026-10-22", "tz": "Europe/Berlin"},
    "step": "day",
    "tiles": {
        "open_rate": {"value": 68.16, "change": 3.2},
        "click_rate": {"value": 24.08, "change": 1.1},
        "click_to_open_rate": {"value": 35.33, "change": -0.5},
        "reply_rate": {"value": 12.65, "change": 0.0},
        "bounce_rate": {"value": 1.63, "change": None},
    },
    "totals": METRICS,
    "series": [{"date": "2026-10-23", "sent": 12, "opens": 8, "clicks": 3, "replies": 2, "bounces": 0}],
    "top_emails": [
        {
            "campaign_id": CAMPAIGN_ID,
            "template_id": "interview-invite",
            "template_name": "Interview Invitation",
            "subject": "Interview Invitation - Software Engineer",
            "sent": 245,
            "opens": 167,
            "clicks": 59,
            "open_rate": 68.16,
            "click_rate": 24.08,
        }
    ],
    "templates": [
        {
            "template_id": "interview-invite",
            "name": "Interview Invitation",
            "sent": 245,
            "opens": 167,
            "clicks": 59,
            "open_rate": 68.16,
            "click_rate": 24.08,
        }
    ],
}
NOTIFICATION: Final = {
    "id": "7d1f0f0e-0c53-4b1e-9d55-7f3bb0d2a6c1",
    "kind": "open",
    "email_id": "0b51a6a4-9e0f-5d0e-8f43-0d9a2f0c1e77",
    "candidate_id": "candidate-1",
    "candidate_name": "John Smith",
    "subject": "Interview Invitation",
    "occurred_at": "2026-11-21T10:12:03Z",
    "title": "John Smith just opened your email",
    "text": "Interview Invitation",
    "url": "/candidates/candidate-1",
    "read_at": None,
}
NOTIFICATIONS: Final = {"items": [NOTIFICATION], "next_cursor": None, "unread_count": 1, "online": True}
UNREAD: Final = {"unread_count": 3}
NOTIFICATION_PREFERENCES: Final = {
    "kinds": ["open", "click", "reply"],
    "opens": "first",
    "hot_candidates_only": False,
    "my_jobs": True,
    "quiet_hours": {"begins": "20:00", "ends": "07:30"},
    "time_zone": "Europe/Berlin",
    "digest": "off",
    "digest_at": "08:00",
}
