"""The history of sent emails, from ``email_logs`` and what happened to each."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from psycopg.sql import SQL, Composable, Composed

from adapters.postgres.queries.visibility import audience_parameters, sees_job
from adapters.postgres.query_pool import ScopedDatabase
from read_models.audience import Audience
from read_models.emails.queries import (
    EmailFilter,
    EmailRecipient,
    EmailSender,
    EmailTemplate,
    EmailView,
    TimelineEvent,
)
from read_models.paging import Page, PageRequest, page_of

COLUMNS = SQL(
    "id AS email_log_id, email_id, provider, message_id, tracking_id, tracking, subject, recipient_type, recipient_id,"
    " recipient_email, recipient_name, sender_id, sender_name, job_id, template_id, template_name, campaign_id,"
    " campaign_contact_id, sent_at, delivered_at, opened_at, clicked_at, {counts},"
    " replied_at, reply_count, bounced_at, bounce_type, bounce_reason, dropped_at, drop_reason, unsubscribed_at,"
    " spam_reported_at, machine_open_count, scanner_click_count,"
    " CASE WHEN opened_at IS NOT NULL THEN greatest(extract(epoch FROM opened_at - sent_at), 0)::float8 END"
    " AS time_to_open_seconds"
)
BY_PEOPLE = SQL("open_count, click_count, unique_click_count")
BY_ANY = SQL(
    "open_count + machine_open_count AS open_count, click_count + scanner_click_count AS click_count,"
    " (SELECT count(*) FROM email_links l WHERE l.email_log_id = email_logs.id) AS unique_click_count"
)
EMAIL = SQL(
    "SELECT {columns} FROM email_logs"
    " WHERE organization_id = %(organization_id)s AND email_id = %(email_id)s AND {seen}"
)
HISTORY = SQL(
    "SELECT {columns} FROM email_logs WHERE organization_id = %(organization_id)s AND {conditions}"
    " ORDER BY sent_at DESC, id DESC LIMIT %(rows)s"
)
CONDITIONS = {
    "candidate_id": SQL("recipient_id = %(candidate_id)s AND recipient_type = 'Candidate'"),
    "job_id": SQL("job_id = %(job_id)s"),
    "campaign_id": SQL("campaign_id = %(campaign_id)s"),
    "template_id": SQL("template_id = %(template_id)s"),
    "sender_id": SQL("sender_id = %(sender_id)s"),
    "sent_from": SQL("sent_at >= %(sent_from)s"),
    "sent_to": SQL("sent_at < %(sent_to)s"),
}
OBSERVED = SQL(
    "SELECT id AS engagement_event_id, event_id AS id, email_log_id, event_type, occurred_at, url,"
    " host(ip_address) AS ip_address, user_agent, coalesce(metadata, '{{}}') AS event_data,"
    " verdict, coalesce(reasons, '{{}}') AS reasons"
    " FROM email_engagement_events"
    # An open that a click implies is no event of its own: its id is negative.
    " WHERE email_log_id = %(email_log_id)s AND organization_id = %(organization_id)s AND id > 0"
)
AUTOMATED = SQL(
    "SELECT engagement_event_id, id, email_log_id, CASE event_type WHEN 'opened' THEN 'open' ELSE 'click' END,"
    " event_timestamp, clicked_url, host(ip_address), user_agent, coalesce(event_data, '{{}}'), verdict, reasons"
    " FROM automated_engagement WHERE email_log_id = %(email_log_id)s AND organization_id = %(organization_id)s"
)
TIMELINE = SQL("SELECT * FROM ({events}) events WHERE {after} ORDER BY occurred_at, engagement_event_id LIMIT %(rows)s")


class HistoryKey(NamedTuple):
    """Place of an email in the history."""

    sent_at: datetime
    email_log_id: int


class TimelineKey(NamedTuple):
    """Place of an event in an email's timeline."""

    occurred_at: datetime
    engagement_event_id: int


class PostgresEmailQueries:
    """Implements `EmailQueries`."""

    def __init__(self, database: ScopedDatabase) -> None:
        self._database = database

    async def history(
        self, audience: Audience, wanted: EmailFilter, page: PageRequest, *, with_automated: bool = False
    ) -> Page[EmailView]:
        after = page.after(HistoryKey)
        conditions = SQL(" AND ").join(_conditions(audience, wanted, after))
        parameters = {
            **audience_parameters(audience),
            **{name: getattr(wanted, name) for name in wanted.__struct_fields__},
            **(after._asdict() if after else {}),
            "rows": page.limit + 1,
        }
        async with self._database.reading(audience.organization_id) as connection:
            cursor = await connection.execute(
                HISTORY.format(columns=_columns(with_automated=with_automated), conditions=conditions), parameters
            )
            emails = [_email(row) for row in await cursor.fetchall()]
        return page_of(emails, page.limit, keys=[HistoryKey(e.sent_at, e.email_log_id) for e in emails])

    async def email(self, audience: Audience, email_id: UUID, *, with_automated: bool = False) -> EmailView | None:
        async with self._database.reading(audience.organization_id) as connection:
            cursor = await connection.execute(
                EMAIL.format(columns=_columns(with_automated=with_automated), seen=sees_job(audience, "job_id")),
                {**audience_parameters(audience), "email_id": email_id},
            )
            row = await cursor.fetchone()
        return None if row is None else _email(row)

    async def timeline(
        self, audience: Audience, email_id: UUID, page: PageRequest, *, with_automated: bool
    ) -> Page[TimelineEvent] | None:
        after = page.after(TimelineKey)
        past = "(occurred_at, engagement_event_id) > (%(occurred_at)s, %(engagement_event_id)s)"
        query = TIMELINE.format(
            events=SQL(" UNION ALL ").join([OBSERVED.format(), *([AUTOMATED.format()] if with_automated else [])]),
            after=SQL(past) if after else SQL("true"),
        )
        parameters = {**audience_parameters(audience), "email_id": email_id, "rows": page.limit + 1}
        async with self._database.reading(audience.organization_id) as connection:
            cursor = await connection.execute(
                EMAIL.format(columns=SQL("id"), seen=sees_job(audience, "job_id")), parameters
            )
            email = await cursor.fetchone()
            if email is None:
                return None
            cursor = await connection.execute(
                query, {**parameters, "email_log_id": email["id"], **(after._asdict() if after else {})}
            )
            events = [TimelineEvent(**row) for row in await cursor.fetchall()]
        return page_of(events, page.limit, keys=[TimelineKey(e.occurred_at, e.engagement_event_id) for e in events])


def _columns(*, with_automated: bool) -> Composed:
    return COLUMNS.format(counts=BY_ANY if with_automated else BY_PEOPLE)


def _conditions(audience: Audience, wanted: EmailFilter, after: HistoryKey | None) -> Iterator[Composable]:
    yield sees_job(audience, "job_id")
    for name, condition in CONDITIONS.items():
        if getattr(wanted, name) is not None:
            yield condition
    if after:
        yield SQL("(sent_at, id) < (%(sent_at)s, %(email_log_id)s)")


def _email(row: dict[str, Any]) -> EmailView:
    recipient = EmailRecipient(**{field: row.pop(f"recipient_{field}") for field in ("type", "id", "email", "name")})
    sender = EmailSender(**{field: row.pop(f"sender_{field}") for field in ("id", "name")})
    template_id, template_name = row.pop("template_id"), row.pop("template_name")
    template = None if template_id is None else EmailTemplate(id=template_id, name=template_name or "")
    return EmailView(recipient=recipient, sender=sender, template=template, **row)
