"""What has to be shown after a set of reports: counted here with plain dictionaries, by nothing of the service."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from tests.crash import story
from tests.crash.story import Report, Story

FACTS_ONCE = {
    story.DELIVERED: "delivered_at",
    story.BOUNCED: "bounced_at",
    story.SPAM_REPORTED: "spam_reported_at",
    story.UNSUBSCRIBED: "unsubscribed_at",
    story.REPLIED: "replied_at",
}

TrackedRow = tuple[UUID, str, datetime, str | None]
"""Contact, event type, time, URL: a row of engagement_tracking as far as it follows from the reports."""


class Truth(NamedTuple):
    """What is to be shown.

    Attributes:
        emails: By number, field by field as the API names them.
        campaigns: By id, as the API names the metrics.
        tracking: How often each row of engagement_tracking is there.
    """

    emails: dict[int, dict[str, Any]]
    campaigns: dict[UUID, dict[str, int]]
    tracking: Counter[TrackedRow]


def truth_of(reports: Iterable[Report], told: Story) -> Truth:
    """Count every report once, however often it was told."""
    once = {report.event_id: report for report in reports}
    by_email: dict[int, list[Report]] = {email: [] for email in range(told.emails)}
    for report in once.values():
        by_email[report.email].append(report)
    shown = {email: _email(happened) for email, happened in by_email.items()}
    tracking: Counter[TrackedRow] = Counter()
    for email, happened in by_email.items():
        tracking.update(_tracked(told.contact_id(email), happened))
    of_campaign = {
        campaign: _campaign([fields for email, fields in shown.items() if email % story.CAMPAIGNS == place])
        for place, campaign in enumerate(told.campaigns)
    }
    return Truth(shown, of_campaign, tracking)


def _email(happened: list[Report]) -> dict[str, Any]:
    opens = [report.at for report in happened if report.what == story.OPENED]
    clicks = [report for report in happened if report.what == story.CLICKED]
    fields: dict[str, Any] = {
        "open_count": len(opens),
        "opened_at": min(opens, default=None),
        "click_count": len(clicks),
        "clicked_at": min((click.at for click in clicks), default=None),
        "unique_click_count": len({click.link for click in clicks}),
        "machine_open_count": sum(report.what == story.OPENED_BY_MACHINE for report in happened),
        "scanner_click_count": 0,
    }
    for what, field in FACTS_ONCE.items():
        fields[field] = min((report.at for report in happened if report.what == what), default=None)
    return fields


def _campaign(emails: list[dict[str, Any]]) -> dict[str, int]:
    return {
        "sent": len(emails),
        "delivered": sum(email["delivered_at"] is not None for email in emails),
        "opened": sum(email["open_count"] + email["click_count"] > 0 for email in emails),
        "clicked": sum(email["click_count"] > 0 for email in emails),
        "total_clicks": sum(email["click_count"] for email in emails),
        "replied": sum(email["replied_at"] is not None for email in emails),
        "bounced": sum(email["bounced_at"] is not None for email in emails),
        "unsubscribed": sum(email["unsubscribed_at"] is not None for email in emails),
        "spam_reported": sum(email["spam_reported_at"] is not None for email in emails),
        "machine_opens": sum(email["machine_open_count"] for email in emails),
        "scanner_clicks": 0,
    }


def _tracked(contact: UUID, happened: list[Report]) -> Iterable[TrackedRow]:
    for report in happened:
        if report.what != story.OPENED_BY_MACHINE:
            yield contact, report.what, report.at, story.link_url(report.link) if report.link >= 0 else None
    opens = any(report.what == story.OPENED for report in happened)
    clicks = [report.at for report in happened if report.what == story.CLICKED]
    if clicks and not opens:  # images are often blocked: a click implies an open
        yield contact, story.OPENED, min(clicks), None
