"""The engagement rows in PostgreSQL: read and written by the set, never row by row."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec.structs import astuple
from psycopg import Cursor

from adapters.postgres.arrays import number_array, uuid_array
from adapters.postgres.writes import ImmediateWrites, Writes
from read_models.engagement.projection import WORDS
from read_models.engagement.view import AutomatedRow, Changes, EmailLog, EventRow, LinkKey, Named, Totals

_ALL: Final = EmailLog.__struct_fields__
_LOADED: Final = _ALL[: _ALL.index("created_at")]
"""In the order of the struct, whose later fields only the registration tells."""
_CHANGING: Final = _LOADED[_LOADED.index("updated_at") :]
_TYPES: Final = dict.fromkeys(_CHANGING, "timestamptz") | {
    "open_count": "integer",
    "click_count": "integer",
    "unique_click_count": "integer",
    "reply_count": "integer",
    "bounce_type": "text",
    "bounce_reason": "text",
    "drop_reason": "text",
    "machine_open_count": "integer",
    "scanner_click_count": "integer",
}

_LOAD: Final = f"SELECT {', '.join(_LOADED)} FROM email_logs WHERE email_id = ANY(%s::uuid[])"  # noqa: S608 - constants
# COPY is for tables without row security, unless a superuser copies: rows go through these to where they belong.
_STAGE_REGISTRATIONS: Final = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS staged_registrations (LIKE email_logs) ON COMMIT DELETE ROWS"
)
_STAGE_EVENTS: Final = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS staged_events (LIKE email_engagement_events, campaign_contact_id uuid,"
    " tracking_id text, tracking boolean) ON COMMIT DELETE ROWS"
)
_STAGE_AUTOMATED: Final = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS staged_automated (LIKE automated_engagement) ON COMMIT DELETE ROWS"
)
_STAGE_EMAILS: Final = (
    "CREATE TEMPORARY TABLE IF NOT EXISTS staged_emails (id bigint NOT NULL, "
    + ", ".join(f"{name} {type_}" for name, type_ in _TYPES.items())
    + ") ON COMMIT DELETE ROWS"
)
_COPY_EMAILS: Final = f"COPY pg_temp.staged_registrations ({', '.join(_ALL)}) FROM STDIN"
_ADD_EMAILS: Final = (
    f"INSERT INTO email_logs ({', '.join(_ALL)}) SELECT {', '.join(_ALL)} FROM pg_temp.staged_registrations"  # noqa: S608 - constants
)
_COPY_STAGED: Final = f"COPY pg_temp.staged_emails (id, {', '.join(_CHANGING)}) FROM STDIN"
_UPDATE_EMAILS: Final = (
    "UPDATE email_logs e SET "  # noqa: S608 - constants
    + ", ".join(f"{name} = s.{name}" for name in _CHANGING)
    + " FROM pg_temp.staged_emails s WHERE e.id = s.id"
)
_EVENT_COLUMNS: Final = (
    "id, event_id, organization_id, email_log_id, event_type, occurred_at, url, ip_address, user_agent, metadata,"
    " created_at"
)
_COPY_EVENTS: Final = (
    f"COPY pg_temp.staged_events ({_EVENT_COLUMNS}, campaign_contact_id, tracking_id, tracking) FROM STDIN"
)
_ADD_EVENTS: Final = (
    f"INSERT INTO email_engagement_events ({_EVENT_COLUMNS}) SELECT {_EVENT_COLUMNS} FROM pg_temp.staged_events"  # noqa: S608 - constants
)
_TRACKING_COLUMNS: Final = (
    "id, campaign_contact_id, event_type, event_data, event_timestamp, tracking_id, user_agent, ip_address,"
    " clicked_url, created_at, organization_id, email_log_id"
)
_LONG_WORDS: Final = " ".join(f"WHEN '{short}' THEN '{long}'" for long, short in WORDS.values())
_ADD_TRACKING: Final = (
    f"INSERT INTO engagement_tracking ({_TRACKING_COLUMNS})"  # noqa: S608 - constants
    f" SELECT event_id, campaign_contact_id, CASE event_type {_LONG_WORDS} END, metadata, occurred_at, tracking_id,"
    " user_agent, ip_address, url, created_at, organization_id, email_log_id FROM pg_temp.staged_events WHERE tracking"
)
_ADD_TRACKING_OF_NEW_CONTACTS: Final = _ADD_TRACKING.replace(
    " campaign_contact_id, CASE",
    " (SELECT e.campaign_contact_id FROM email_logs e WHERE e.id = email_log_id), CASE",
)
"""Among emails registered in the same batch a contact may have turned out to be another organisation's."""
_AUTOMATED_COLUMNS: Final = f"{_TRACKING_COLUMNS}, engagement_event_id, verdict, reasons, confidence, rule_version"
_COPY_AUTOMATED: Final = f"COPY pg_temp.staged_automated ({_AUTOMATED_COLUMNS}) FROM STDIN"
_ADD_AUTOMATED: Final = (
    f"INSERT INTO automated_engagement ({_AUTOMATED_COLUMNS})"  # noqa: S608 - constants
    f" SELECT {_AUTOMATED_COLUMNS} FROM pg_temp.staged_automated"
)
_ADD_AUTOMATED_OF_NEW_CONTACTS: Final = _ADD_AUTOMATED.replace(
    " SELECT id, campaign_contact_id,",
    " SELECT id, (SELECT e.campaign_contact_id FROM email_logs e WHERE e.id = email_log_id),",
)
_TOTALS_FIELDS: Final = Totals.__struct_fields__
_ADD_TOTALS: Final = (
    "INSERT INTO email_totals AS t (organization_id, sent_hour, job_id, campaign_id, template_id, "  # noqa: S608 - constants
    + ", ".join(_TOTALS_FIELDS)
    + ") SELECT * FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[], %s::uuid[], %s::text[]"
    + ", %s::bigint[]" * len(_TOTALS_FIELDS)
    + ") ON CONFLICT (organization_id, sent_hour, job_id, campaign_id, template_id) DO UPDATE SET "
    + ", ".join(f"{name} = t.{name} + excluded.{name}" for name in _TOTALS_FIELDS)
)
_ADD_LINKS: Final = """
INSERT INTO email_links AS l (email_log_id, link_key, organization_id, campaign_id, campaign_contact_id, url,
    link_position, link_text, click_count, first_clicked_at)
SELECT * FROM unnest(%s::bigint[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[],
    %s::integer[], %s::timestamptz[])
ON CONFLICT (email_log_id, link_key) DO UPDATE SET click_count = l.click_count + excluded.click_count,
    first_clicked_at = least(l.first_clicked_at, excluded.first_clicked_at),
    link_text = CASE l.link_text WHEN '' THEN excluded.link_text ELSE l.link_text END
"""

_KEEP_CONTACTS_APART: Final = """
WITH apart AS (
    UPDATE email_logs e SET campaign_contact_id = e.email_id FROM campaign_contacts c
    WHERE e.id = ANY(%s) AND c.id = e.campaign_contact_id AND c.organization_id <> e.organization_id
    RETURNING e.email_id, e.organization_id, e.campaign_id, e.recipient_id
)
INSERT INTO campaign_contacts (id, organization_id, campaign_id, contact_id)
SELECT * FROM apart ON CONFLICT (id) DO NOTHING
"""
"""Contacts are named by the organisations: one that names another's gets its own instead, and touches nothing of it."""
_FOLLOW_CONTACTS: Final = (
    "UPDATE email_links t SET campaign_contact_id = e.campaign_contact_id FROM email_logs e"
    " WHERE e.id = ANY(%s) AND t.email_log_id = e.id AND t.campaign_contact_id <> e.campaign_contact_id"
)
"""For links that were followed with a contact that turned out to be another organisation's."""
_FIRST_CHANGING: Final = _ALL.index("updated_at")
_AFTER_CHANGING: Final = _ALL.index("created_at")

_json = msgspec.json.Encoder().encode


class PostgresEngagementView:
    """See `read_models.engagement.view.EngagementView`; table names resolve by the transaction's search_path.

    Args:
        cursor: To read with.
        writes: Takes what changes the rows; carried out at once unless said otherwise.
    """

    def __init__(self, cursor: Cursor[Any], writes: Writes | None = None) -> None:
        self._cursor = cursor
        self._writes = writes or ImmediateWrites(cursor)

    def emails(self, email_ids: Collection[UUID]) -> Mapping[UUID, EmailLog]:
        if not email_ids:
            return {}
        self._cursor.execute(_LOAD, (uuid_array(email_ids),), binary=True)
        emails = [EmailLog(*row) for row in self._cursor.fetchall()]
        return {email.email_id: email for email in emails}

    def links(self, keys: Collection[LinkKey]) -> Collection[LinkKey]:
        self._cursor.execute(
            "SELECT l.email_log_id, l.link_key FROM unnest(%s::bigint[], %s::uuid[]) AS k (email_log_id, link_key)"
            " JOIN email_links l USING (email_log_id, link_key)",
            ([email_log_id for email_log_id, _ in keys], uuid_array(key for _, key in keys)),
            binary=True,
        )
        return self._cursor.fetchall()

    def save(self, changes: Changes) -> None:
        self._add_emails(changes.registered)
        self._add_names(changes)
        self._change_emails(changes.changed.values())
        self._remove_implied_opens(changes.implied_opens_gone)
        contacts_are_new = bool(changes.registered)
        self._add_events(changes.events, contacts_are_new=contacts_are_new)
        self._add_automated(changes.automated, contacts_are_new=contacts_are_new)
        self._add_links(changes)
        self._follow_contacts(changes)
        self._add_totals(changes)

    def _add_emails(self, emails: Collection[EmailLog]) -> None:
        if not emails:
            return
        self._writes.execute(_STAGE_REGISTRATIONS)
        self._writes.copy(_COPY_EMAILS, [[_plain(value) for value in astuple(email)] for email in emails])
        self._writes.execute(_ADD_EMAILS)
        self._writes.execute(
            "INSERT INTO campaign_contacts (id, organization_id, campaign_id, contact_id)"
            " SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[]) ON CONFLICT (id) DO NOTHING",
            (
                uuid_array(email.campaign_contact_id for email in emails),
                uuid_array(email.organization_id for email in emails),
                uuid_array(email.campaign_id for email in emails),
                [email.recipient_id for email in emails],
            ),
        )
        self._writes.execute(_KEEP_CONTACTS_APART, ([email.id for email in emails],))
        first_sent: dict[tuple[UUID, UUID], datetime] = {}
        for email in emails:
            if email.campaign_id:
                key = (email.campaign_id, email.organization_id)
                first_sent[key] = min(email.sent_at, first_sent.get(key, email.sent_at))
        if first_sent:
            self._writes.execute(
                "INSERT INTO campaigns AS c (id, organization_id, first_sent_at)"
                " SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[])"
                " ON CONFLICT (organization_id, id) DO UPDATE SET first_sent_at = excluded.first_sent_at"
                " WHERE excluded.first_sent_at < c.first_sent_at",
                _columns([(campaign, organization, at) for (campaign, organization), at in sorted(first_sent.items())]),
            )

    def _add_names(self, changes: Changes) -> None:
        if changes.jobs:
            self._writes.execute(
                "INSERT INTO jobs AS j (organization_id, id, title, hiring_manager_id, named_at, named_by)"
                " SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[])"
                " ON CONFLICT (organization_id, id) DO UPDATE SET title = excluded.title,"
                " hiring_manager_id = excluded.hiring_manager_id, named_at = excluded.named_at,"
                " named_by = excluded.named_by WHERE (j.named_at, j.named_by) < (excluded.named_at, excluded.named_by)",
                _columns(
                    [
                        (job.organization_id, job.id, job.name, job.hiring_manager_id, job.named_at, job.named_by)
                        for job in _in_key_order(changes.jobs)
                    ]
                ),
            )
        if changes.templates:
            self._writes.execute(
                "INSERT INTO templates AS t (organization_id, id, name, named_at, named_by)"
                " SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[])"
                " ON CONFLICT (organization_id, id) DO UPDATE SET name = excluded.name, named_at = excluded.named_at,"
                " named_by = excluded.named_by WHERE (t.named_at, t.named_by) < (excluded.named_at, excluded.named_by)",
                _columns(
                    [
                        (template.organization_id, template.id, template.name, template.named_at, template.named_by)
                        for template in _in_key_order(changes.templates)
                    ]
                ),
            )

    def _change_emails(self, emails: Collection[EmailLog]) -> None:
        if not emails:
            return
        self._writes.execute(_STAGE_EMAILS)
        self._writes.copy(
            _COPY_STAGED,
            [
                [email.id, *[_plain(value) for value in astuple(email)[_FIRST_CHANGING:_AFTER_CHANGING]]]
                for email in emails
            ],
        )
        self._writes.execute(_UPDATE_EMAILS)

    def _remove_implied_opens(self, emails: Collection[EmailLog]) -> None:
        if not emails:
            return
        places = [-email.id for email in emails]
        self._writes.execute(
            "WITH gone AS (DELETE FROM email_engagement_events WHERE id = ANY(%s) RETURNING event_id)"
            " DELETE FROM engagement_tracking WHERE id IN (SELECT event_id FROM gone)",
            (places,),
        )

    def _add_events(self, rows: Collection[EventRow], *, contacts_are_new: bool) -> None:
        if not rows:
            return
        self._writes.execute(_STAGE_EVENTS)
        self._writes.copy(
            _COPY_EVENTS,
            [
                (
                    row.place,
                    row.key.hex(),
                    row.email.organization_id.hex,
                    row.email.id,
                    row.event_word,
                    row.occurred_at.isoformat(),
                    row.url,
                    row.ip_address,
                    row.user_agent,
                    _json(row.event_data).decode() if row.event_data else None,
                    row.recorded_at.isoformat(),
                    row.email.campaign_contact_id.hex,
                    row.email.tracking_id,
                    "t" if row.email.tracking else "f",
                )
                for row in rows
            ],
        )
        # Two tables hold the same facts: sent once, put in both places there.
        self._writes.execute(_ADD_EVENTS)
        self._writes.execute(_ADD_TRACKING_OF_NEW_CONTACTS if contacts_are_new else _ADD_TRACKING)

    def _add_automated(self, rows: Collection[AutomatedRow], *, contacts_are_new: bool) -> None:
        if not rows:
            return
        self._writes.execute(_STAGE_AUTOMATED)
        self._writes.copy(
            _COPY_AUTOMATED,
            [
                (
                    *_tracking_row(automated.row),
                    automated.row.place,
                    automated.verdict,
                    "{" + ",".join(automated.reasons) + "}",
                    str(automated.confidence),
                    automated.rule_version,
                )
                for automated in rows
            ],
        )
        self._writes.execute(_ADD_AUTOMATED_OF_NEW_CONTACTS if contacts_are_new else _ADD_AUTOMATED)

    def _add_links(self, changes: Changes) -> None:
        if not changes.links:
            return
        links = sorted(changes.links.items(), key=lambda item: item[0])
        self._writes.execute(
            _ADD_LINKS,
            (
                [email_log_id for (email_log_id, _), _ in links],
                uuid_array(key for (_, key), _ in links),
                uuid_array(clicks.email.organization_id for _, clicks in links),
                uuid_array(clicks.email.campaign_id for _, clicks in links),
                uuid_array(clicks.email.campaign_contact_id for _, clicks in links),
                [clicks.url for _, clicks in links],
                [clicks.link_position for _, clicks in links],
                [clicks.link_text for _, clicks in links],
                [clicks.click_count for _, clicks in links],
                [clicks.first_clicked_at for _, clicks in links],
            ),
        )

    def _follow_contacts(self, changes: Changes) -> None:
        followed = [link.email for link in changes.links.values()]
        # Emails that were read have the right contact. Those that were just registered, which alone know when, may not.
        fresh = {email.id for email in followed if email.created_at and email.campaign_contact_id != email.email_id}
        if fresh:
            self._writes.execute(_FOLLOW_CONTACTS, (sorted(fresh),))

    def _add_totals(self, changes: Changes) -> None:
        if changes.totals:
            keys = sorted(changes.totals)
            organizations, hours, jobs, campaigns, templates = zip(*keys, strict=True)
            sums = zip(*(changes.totals[key] for key in keys), strict=True)
            self._writes.execute(
                _ADD_TOTALS,
                [
                    uuid_array(organizations),
                    [hour.isoformat() for hour in hours],
                    list(jobs),
                    uuid_array(campaigns),
                    list(templates),
                    *(number_array(column) for column in sums),
                ],
            )


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    """Turn rows into the arrays that ``unnest`` takes."""
    return [list(column) for column in zip(*rows, strict=True)]


def _in_key_order(named: Mapping[tuple[UUID, str], Named]) -> list[Named]:
    return [value for _, value in sorted(named.items())]


def _tracking_row(row: EventRow) -> tuple[str | int | None, ...]:
    email = row.email
    return (
        row.key.hex(),
        email.campaign_contact_id.hex,
        row.event_type,
        _json(row.event_data).decode() if row.event_data else None,
        row.occurred_at.isoformat(),
        email.tracking_id,
        row.user_agent,
        row.ip_address,
        row.url,
        row.recorded_at.isoformat(),
        email.organization_id.hex,
        email.id,
    )


def _plain(value: object) -> str | int | None:
    """Write what psycopg would write, without its Python dumpers."""
    kind = type(value)
    if value is None or kind is int or kind is str:
        return value  # type: ignore[return-value]  # one of the three
    if kind is datetime:
        return value.isoformat()  # type: ignore[attr-defined,no-any-return]  # it is a datetime
    if kind is bool:
        return "t" if value else "f"
    return str(value)
