"""The use case's own transaction, once per event over psycopg: what one gets by typing off the page.

Two processes, one connection each. They are given the events as rows, so HTTP, signatures and JSON cost them nothing.
"""

import time
from datetime import UTC, datetime

import psycopg

from tests.benchmarks.figures import Figures
from tests.benchmarks.own_process import in_own_processes
from tests.benchmarks.plan import Plan
from tests.benchmarks.stores import settle
from tests.benchmarks.traffic import Traffic
from tests.support.servers import fresh_database

NAME = "baseline"
FIGURE = "the use case's transaction per event, two processes"
PROCESSES = 2
EMAILS = 5_000
MOST_EVENTS = 60_000

_TABLES = """
CREATE TABLE email_logs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, organization_id bigint NOT NULL, sender_id text NOT NULL,
    recipient_id text NOT NULL, message_id text NOT NULL, opened_at timestamptz, open_count integer NOT NULL DEFAULT 0,
    clicked_at timestamptz, click_count integer NOT NULL DEFAULT 0, bounced_at timestamptz, unsubscribed_at timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ON email_logs (message_id);
CREATE TABLE email_engagement_events (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email_log_id bigint NOT NULL REFERENCES email_logs (id),
    event_type text NOT NULL, occurred_at timestamptz NOT NULL, url text, ip_address inet, user_agent text,
    metadata jsonb, created_at timestamptz NOT NULL
);
CREATE INDEX ON email_engagement_events (email_log_id, occurred_at);
"""
_Event = tuple[str, str, datetime, str | None, str | None, str | None]
_FIND = "SELECT id, organization_id, sender_id, recipient_id FROM email_logs WHERE message_id = %s"
_DUPLICATE = "SELECT id FROM email_engagement_events WHERE email_log_id = %s AND event_type = %s AND occurred_at = %s"
_INSERT = (
    "INSERT INTO email_engagement_events (email_log_id, event_type, occurred_at, url, ip_address, user_agent, metadata,"
    " created_at) VALUES (%s, %s, %s, %s, %s, %s, %s, now())"
)
_UPDATE = """
UPDATE email_logs SET
    opened_at = CASE WHEN %(type)s = 'open' AND opened_at IS NULL THEN %(at)s ELSE opened_at END,
    open_count = CASE WHEN %(type)s = 'open' THEN open_count + 1 ELSE open_count END,
    clicked_at = CASE WHEN %(type)s = 'click' AND clicked_at IS NULL THEN %(at)s ELSE clicked_at END,
    click_count = CASE WHEN %(type)s = 'click' THEN click_count + 1 ELSE click_count END,
    bounced_at = CASE WHEN %(type)s = 'bounce' THEN %(at)s ELSE bounced_at END,
    unsubscribed_at = CASE WHEN %(type)s = 'unsubscribe' THEN %(at)s ELSE unsubscribed_at END,
    updated_at = now()
WHERE id = %(id)s
"""


def run(plan: Plan, figures: Figures) -> None:
    """Measure it once."""
    with fresh_database(plan.server_url) as url:
        with psycopg.connect(url) as connection:
            connection.execute(_TABLES)
            traffic = Traffic(EMAILS)
            with connection.cursor().copy(
                "COPY email_logs (organization_id, sender_id, recipient_id, message_id) FROM STDIN"
            ) as copy:
                for email in traffic.registrations():
                    copy.write_row((1, email["sender"]["id"], email["recipient"]["id"], email["message_id"]))
        settle(url)
        rates = in_own_processes(events_per_second, [(url, plan.seconds, seed) for seed in range(PROCESSES)])
        figures.add(NAME, FIGURE, sum(rates), "events/s")


def events_per_second(database_url: str, seconds: float, seed: int) -> float:
    """Process events one by one for a while."""
    events = [_row(event) for event in Traffic(EMAILS, seed=seed).events(MOST_EVENTS)]
    with psycopg.connect(database_url) as connection:
        started = time.perf_counter()
        done = 0
        while done < len(events) and time.perf_counter() - started < seconds:
            with connection.transaction():
                _process(connection, events[done])
            done += 1
        return done / (time.perf_counter() - started)


def _process(connection: psycopg.Connection, event: _Event) -> None:
    message_id, event_type, at, url, ip_address, user_agent = event
    found = connection.execute(_FIND, (message_id,)).fetchone()
    if found is None:
        return
    email_log_id = found[0]
    if connection.execute(_DUPLICATE, (email_log_id, event_type, at)).fetchone():
        return
    connection.execute(_INSERT, (email_log_id, event_type, at, url, ip_address, user_agent, None))
    connection.execute(_UPDATE, {"type": event_type, "at": at, "id": email_log_id})


def _row(event: dict) -> _Event:
    return (
        event["sg_message_id"].partition(".")[0],
        event["event"],
        datetime.fromtimestamp(event["timestamp"], UTC),
        event.get("url"),
        event.get("ip"),
        event.get("useragent"),
    )
