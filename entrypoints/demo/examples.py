"""Commands to try, that work as they are printed."""

import json
import shlex
from collections import Counter
from datetime import datetime, timedelta

from entrypoints.demo.connection import Connection
from entrypoints.demo.facts import Cause, Kind
from entrypoints.demo.service import registration
from entrypoints.demo.story import Story
from entrypoints.demo.team import SentEmail

_CAMPAIGN_QUERY = (
    "SELECT COUNT(DISTINCT campaign_contact_id) AS total_recipients, "
    "COUNT(DISTINCT campaign_contact_id) FILTER (WHERE event_type = 'opened') AS opens, "
    "COUNT(DISTINCT campaign_contact_id) FILTER (WHERE event_type = 'clicked') AS clicks, "
    "COUNT(*) FILTER (WHERE event_type = 'clicked') AS total_clicks "
    "FROM engagement_tracking et JOIN campaign_contacts cc ON et.campaign_contact_id = cc.id "
    "WHERE cc.campaign_id = '{campaign_id}'"
)


def most_telling_email(story: Story) -> SentEmail:
    """Choose the email with most to see: the one that a person did most with."""
    deeds = Counter(fact.email.message_id for fact in story.facts if fact.cause is Cause.PERSON)
    clicked = {
        fact.email.message_id for fact in story.facts if fact.kind is Kind.CLICKED and fact.cause is Cause.PERSON
    }
    return max(story.emails, key=lambda email: (email.message_id in clicked, deeds[email.message_id]))


def commands(connection: Connection, email: SentEmail, email_id: str, now: datetime) -> list[tuple[str, str]]:
    """Give what each command shows, and the command.

    Args:
        connection: To the service.
        email: Registered.
        email_id: The service's id of it.
        now: Aware UTC.
    """
    ask = f"curl -s -H 'Authorization: Bearer {connection.api_key}'"

    def get(path: str) -> str:
        return f"{ask} '{connection.base_url}/api/v1/{path}'"

    new = registration(email) | {
        "message_id": f"curl-{int(now.timestamp())}",
        "sent_at": (now - timedelta(seconds=1)).isoformat(timespec="seconds"),
    }
    del new["campaign_contact_id"]  # another email to the same contact is a contact of its own
    body = json.dumps(new, ensure_ascii=True)
    shown = [
        ("An email with its aggregates", get(f"emails/{email_id}")),
        ("Its timeline", get(f"emails/{email_id}/events")),
        ("A candidate's score and activity", get(f"candidates/{email.candidate.id}/engagement")),
        ("The most interested candidates", get("candidates?limit=5")),
        ("How a campaign does", get(f"campaigns/{email.campaign.id}/engagement")),
        ("Which of its links people follow", get(f"campaigns/{email.campaign.id}/links")),
        ("Contacts who clicked three times or more", get("contacts/engaged?min_clicks=3")),
        ("Reports about emails that nobody registered", get("webhook-deliveries?status=orphaned")),
        (
            "Register an email",
            f"{ask} -H 'Content-Type: application/json' -d {shlex.quote(body)} '{connection.base_url}/api/v1/emails'",
        ),
    ]
    if connection.psql:
        query = _CAMPAIGN_QUERY.format(campaign_id=email.campaign.id)
        shown.append(("The same campaign in SQL", f"{connection.psql} -c {shlex.quote(query)}"))
    return shown
