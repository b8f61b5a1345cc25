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
}
REGISTERED: Final = {
    "email_id": EMAIL_ID,
    "email_log_id": 4711,
    "tracking_id": "0Yb3m0Jk2u9b4xw7n1c5Zw",
    "status": "registered",
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
LINK_CLICKS: Final = {"url": LINK, "link_position": None, "link_text": None, "click_count": 83, "unique_clicks": 59}
CONTACT: Final = {"contact_id": "c-1", "opens": 5, "clicks": 4}
PARKED: Final = {
    "id": 12,
    "status": "orphaned",
    "provider": "sendgrid",
    "endpoint_id": ENDPOINT_ID,
    "reason": "no email of this message id is registered",
    "message_id": "14c5d75ce93",
    "email_id": EMAIL_ID,
    "delivery_id": 88,
    "received_at": OPENED_AT,
    "parked_at": OPENED_AT,
    "times_seen": 1,
}
API_KEY: Final = "mp_key_JSqT0bXl3nE8yq1c5vU2wR7zA9dK4fH6gM0pB-sN_tY"
USER_TOKEN: Final = "mp_user_4fH6gM0pBsN-tYJSqT0bXl3nE8yq1c5vU2wR7zA9dK_"  # noqa: S105  opens nothing
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


def a_list_of(item: object) -> dict[str, object]:
    """Give a page that holds one item."""
    return {"items": [item], "next_cursor": None}
