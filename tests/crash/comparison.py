"""What the service shows, by API and in its tables, against what has to be shown."""

import time
from collections import Counter
from datetime import datetime
from typing import Any, NamedTuple

import psycopg

from tests.crash.oracle import Truth
from tests.crash.story import message_id
from tests.support.running_service import RunningService

MOST_DIFFERENCES = 20
_IS_QUIET = """
SELECT NOT EXISTS (SELECT FROM ops.webhook_inbox)
    AND NOT EXISTS (SELECT FROM ops.parked_reports WHERE status = 'orphaned' AND organization_id = %s)
    AND coalesce((SELECT min(position) FROM ops.read_models) >= (SELECT max(notification_id) FROM events.stored_events),
        false)
"""


class Account(NamedTuple):
    """An organisation, and what it asks with."""

    organization_id: str
    api_key: str


def wait_until_all_is_visible(service: RunningService, organization_id: str, within_s: float = 60.0) -> None:
    """Return when nothing that was acknowledged is still under way; raises TimeoutError."""
    deadline = time.monotonic() + within_s
    while not _is_quiet(service, organization_id):
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {within_s:g} s acknowledged reports are still under way: {_under_way(service)}")
        time.sleep(0.05)


def differences(service: RunningService, account: Account, truth: Truth) -> list[str]:
    """Say where the service is wrong, a line each; empty when nothing was lost and nothing counted twice."""
    found = [
        *_email_differences(service, account.api_key, truth),
        *_campaign_differences(service, account.api_key, truth),
        *_tracking_differences(service, account.organization_id, truth),
        *_set_aside(service, account.organization_id),
    ]
    return found[:MOST_DIFFERENCES] + ([f"… {len(found)} in all"] if len(found) > MOST_DIFFERENCES else [])


def _email_differences(service: RunningService, api_key: str, truth: Truth) -> list[str]:
    shown = {email["message_id"]: email for email in _listed(service, api_key)}
    found = []
    for email, fields in truth.emails.items():
        of_api = shown.pop(message_id(email), None)
        if of_api is None:
            found.append(f"email {email} is not shown at all")
            continue
        for name, expected in fields.items():
            value = _value(of_api[name])
            if value != expected:
                found.append(f"email {email}: {name} is {value}, not {expected}")
    return found + [f"nobody registered {stranger}" for stranger in shown]


def _campaign_differences(service: RunningService, api_key: str, truth: Truth) -> list[str]:
    found = []
    for campaign, fields in truth.campaigns.items():
        _, shown = service.get(f"/api/v1/campaigns/{campaign}/engagement", api_key)
        for name, expected in fields.items():
            if shown.get(name) != expected:
                found.append(f"campaign {campaign}: {name} is {shown.get(name)}, not {expected}")
    return found


def _tracking_differences(service: RunningService, organization_id: str, truth: Truth) -> list[str]:
    with psycopg.connect(service.database_url) as connection:
        shown = Counter(
            connection.execute(
                "SELECT campaign_contact_id, event_type, event_timestamp, clicked_url FROM engagement_tracking"
                " WHERE organization_id = %s",
                (organization_id,),
            ).fetchall()
        )
        (human,) = connection.execute(
            "SELECT count(*) FROM email_engagement_events WHERE organization_id = %s", (organization_id,)
        ).fetchone()
    missing, surplus = truth.tracking - shown, shown - truth.tracking
    found = [f"engagement_tracking lacks {count} × {row[1:]} of {row[0]}" for row, count in missing.items()]
    found += [f"engagement_tracking has {count} × {row[1:]} of {row[0]} too many" for row, count in surplus.items()]
    if human != truth.tracking.total():
        found.append(f"email_engagement_events has {human} rows, not {truth.tracking.total()}")
    return found


def _set_aside(service: RunningService, organization_id: str) -> list[str]:
    with psycopg.connect(service.database_url) as connection:
        (poison,) = connection.execute("SELECT count(*) FROM ops.poison_events").fetchone()
        parked = connection.execute(
            "SELECT reason, count(*) FROM ops.parked_reports WHERE organization_id = %s GROUP BY reason",
            (organization_id,),
        ).fetchall()
    found = [f"{poison} events are set aside as poison"] if poison else []
    return found + [f"{count} reports are parked: {reason}" for reason, count in parked]


def _listed(service: RunningService, api_key: str) -> list[dict]:
    emails: list[dict] = []
    cursor = ""
    while True:
        _, page = service.get(f"/api/v1/emails?limit=200{cursor}", api_key)
        emails += page["items"]
        if not page["next_cursor"]:
            return emails
        cursor = f"&cursor={page['next_cursor']}"


def _value(shown: Any) -> Any:
    return datetime.fromisoformat(shown) if isinstance(shown, str) else shown


def _is_quiet(service: RunningService, organization_id: str) -> bool:
    try:
        with psycopg.connect(service.database_url, connect_timeout=2) as connection:
            return bool(connection.execute(_IS_QUIET, (organization_id,)).fetchone()[0])
    except psycopg.OperationalError:
        return False


def _under_way(service: RunningService) -> str:
    with psycopg.connect(service.database_url) as connection:
        inbox = connection.execute("SELECT count(*), max(last_error) FROM ops.webhook_inbox").fetchone()
        orphans = connection.execute("SELECT count(*) FROM ops.parked_reports WHERE status = 'orphaned'").fetchone()
        positions = connection.execute("SELECT name, position FROM ops.read_models").fetchall()
        last = connection.execute("SELECT max(notification_id) FROM events.stored_events").fetchone()
    return f"inbox {inbox}, orphans {orphans}, read models {positions}, last event {last}"
