"""The engagement rows in PostgreSQL: read and written by the set, never row by row."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec.structs import astuple
from psycopg import Cursor

from adapters.postgres.arrays import as_instant, instant_array, microseconds, number_array, text_array, uuid_array
from adapters.postgres.purge_statements import PURGE, PURGED
from adapters.postgres.totals_statement import add_totals
from adapters.postgres.writes import ImmediateWrites, Writes
from read_models.engagement.projection import WORDS
from read_models.engagement.view import AutomatedRow, Changes, EmailLog, EventRow, LinkKey, Named, Replaced, Totals

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
    "erased_by": "bigint",
}

_LOAD: Final = f"SELECT {', '.join(_LOADED)} FROM email_logs WHERE email_id = ANY(%s::uuid[])"  # noqa: S608 - constants
_INSTANTS: Final = {"sent_at", "created_at", *(name for name, type_ in _TYPES.items() if type_ == "timestamptz")}


# COPY is for tables without row security, unless a superuser copies: rows go through these to where they belong.
def _stage(name: str, table: str, columns: Iterable[str], instants: Collection[str], more: str = "") -> str:
    """Give the statement that creates a temporary table like another, in which instants are microseconds."""
    typed = ", ".join(f"NULL::bigint AS {column}" if column in instants else column for column in columns)
    return (
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ON COMMIT DELETE ROWS AS"  # noqa: S608 - constants
        f" SELECT {typed}{more} FROM {table} WITH NO DATA"
    )


def _staged(columns: Iterable[str], instants: Collection[str]) -> str:
    """Give what is selected from such a table."""
    return ", ".join(as_instant(column) if column in instants else column for column in columns)


_STAGE_REGISTRATIONS: Final = _stage("staged_registrations", "email_logs", _ALL, _INSTANTS)
_STAGE_EMAILS: Final = _stage("staged_emails", "email_logs", ("id", *_CHANGING), _INSTANTS)
_COPY_EMAILS: Final = f"COPY pg_temp.staged_registrations ({', '.join(_ALL)}) FROM STDIN"
_ADD_EMAILS: Final = (
    f"INSERT INTO email_logs ({', '.join(_ALL)})"  # noqa: S608 - constants
    f" SELECT {_staged(_ALL, _INSTANTS)} FROM pg_temp.staged_registrations"
)
_COPY_STAGED: Final = f"COPY pg_temp.staged_emails (id, {', '.join(_CHANGING)}) FROM STDIN"
_UPDATE_EMAILS: Final = (
    "UPDATE email_logs e SET "  # noqa: S608 - constants
    + ", ".join(f"{name} = {as_instant(f's.{name}') if name in _INSTANTS else f's.{name}'}" for name in _CHANGING)
    + " FROM pg_temp.staged_emails s WHERE e.id = s.id"
)
_EVENT_COLUMNS: Final = (
    "id, event_id, organization_id, email_log_id, event_type, occurred_at, url, ip_address, user_agent, metadata,"
    " created_at, verdict, reasons"
)
_EVENT_INSTANTS: Final = {"occurred_at", "created_at"}
_STAGE_EVENTS: Final = _stage(
    "staged_events",
    "email_engagement_events",
    _EVENT_COLUMNS.split(", "),
    _EVENT_INSTANTS,
    ", NULL::uuid AS campaign_contact_id, NULL::text AS tracking_id, NULL::boolean AS tracking,"
    " NULL::text AS job_id, NULL::uuid AS campaign_id, NULL::text AS template_id",
)
_COPY_EVENTS: Final = (
    f"COPY pg_temp.staged_events ({_EVENT_COLUMNS}, campaign_contact_id, tracking_id, tracking, job_id, campaign_id,"
    " template_id) FROM STDIN"
)
_ADD_EVENTS: Final = (
    f"INSERT INTO email_engagement_events ({_EVENT_COLUMNS})"  # noqa: S608 - constants
    f" SELECT {_staged(_EVENT_COLUMNS.split(', '), _EVENT_INSTANTS)} FROM pg_temp.staged_events"
)
_TRACKING_COLUMNS: Final = (
    "id, campaign_contact_id, event_type, event_data, event_timestamp, tracking_id, user_agent, ip_address,"
    " clicked_url, created_at, organization_id, email_log_id, job_id, campaign_id, template_id"
)
_TRUST_CONTACTS: Final = (
    "SELECT set_config('session_replication_role', 'replica', true) WHERE current_setting('is_superuser') = 'on'"
)
"""Looking up and locking the contact of every row is a third of what adding it costs. The contact is there: it was
added with its email, by the one projector that may write (ADR 0015). Users that may not say so, which superusers such
as the embedded server's may, have their rows checked one by one."""
_CHECK_AGAIN: Final = _TRUST_CONTACTS.replace("'replica'", "'origin'")
"""Before anything is deleted: what hangs on a contact goes with it."""
_LONG_WORDS: Final = " ".join(f"WHEN '{short}' THEN '{long}'" for long, short in WORDS.values())
_ADD_TRACKING: Final = (
    f"INSERT INTO engagement_tracking ({_TRACKING_COLUMNS})"  # noqa: S608 - constants
    f" SELECT event_id, campaign_contact_id, CASE event_type {_LONG_WORDS} END, metadata, {as_instant('occurred_at')},"
    f" tracking_id, user_agent, ip_address, url, {as_instant('created_at')}, organization_id, email_log_id,"
    " job_id, campaign_id, template_id"
    " FROM pg_temp.staged_events WHERE tracking"
)
_ADD_TRACKING_OF_NEW_CONTACTS: Final = _ADD_TRACKING.replace(
    " campaign_contact_id, CASE",
    " (SELECT e.campaign_contact_id FROM email_logs e WHERE e.id = email_log_id), CASE",
)
"""Among emails registered in the same batch a contact may have turned out to be another organisation's."""
_REMOVE_EVENTS: Final = (
    "WITH gone AS (DELETE FROM email_engagement_events WHERE id = ANY(%s::bigint[]) RETURNING event_id)"
    " DELETE FROM engagement_tracking WHERE id IN (SELECT event_id FROM gone)"
)
_AUTOMATED_COLUMNS: Final = f"{_TRACKING_COLUMNS}, engagement_event_id, verdict, reasons, confidence, rule_version"
_AUTOMATED_INSTANTS: Final = {"event_timestamp", "created_at"}
_STAGE_AUTOMATED: Final = _stage(
    "staged_automated", "automated_engagement", _AUTOMATED_COLUMNS.split(", "), _AUTOMATED_INSTANTS
)
_COPY_AUTOMATED: Final = f"COPY pg_temp.staged_automated ({_AUTOMATED_COLUMNS}) FROM STDIN"
_ADD_AUTOMATED: Final = (
    f"INSERT INTO automated_engagement ({_AUTOMATED_COLUMNS})"  # noqa: S608 - constants
    f" SELECT {_staged(_AUTOMATED_COLUMNS.split(', '), _AUTOMATED_INSTANTS)} FROM pg_temp.staged_automated"
)
_ADD_AUTOMATED_OF_NEW_CONTACTS: Final = _ADD_AUTOMATED.replace(
    " SELECT id, campaign_contact_id,",
    " SELECT id, (SELECT e.campaign_contact_id FROM email_logs e WHERE e.id = email_log_id),",
)
_TOTALS_FIELDS: Final = Totals.__struct_fields__
_LINK_COLUMNS: Final = (
    "email_log_id, link_key, organization_id, campaign_id, campaign_contact_id, url, link_position, link_text,"
    " click_count, scanner_click_count, first_clicked_at"
)
_ADD_LINKS: Final = f"""
INSERT INTO email_links AS l ({_LINK_COLUMNS})
SELECT {_staged(_LINK_COLUMNS.split(", "), {"first_clicked_at"})}
FROM unnest(%s::bigint[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[],
    %s::integer[], %s::integer[], %s::bigint[]) AS s ({_LINK_COLUMNS})
ON CONFLICT (email_log_id, link_key) DO UPDATE SET click_count = l.click_count + excluded.click_count,
    scanner_click_count = l.scanner_click_count + excluded.scanner_click_count,
    first_clicked_at = least(l.first_clicked_at, excluded.first_clicked_at),
    link_text = CASE l.link_text WHEN '' THEN excluded.link_text ELSE l.link_text END
"""  # noqa: S608 - constants

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
            " JOIN email_links l USING (email_log_id, link_key) WHERE l.click_count > 0",
            (number_array(email_log_id for email_log_id, _ in keys), uuid_array(key for _, key in keys)),
            binary=True,
        )
        return self._cursor.fetchall()

    def emails_to(self, addressee_ids: Collection[UUID]) -> Mapping[UUID, UUID]:
        self._cursor.execute(
            "SELECT email_id, addressee_id FROM email_logs WHERE addressee_id = ANY(%s::uuid[])",
            (uuid_array(addressee_ids),),
            binary=True,
        )
        return dict(self._cursor.fetchall())

    def purged(self, purge_id: UUID) -> Collection[int]:
        self._cursor.execute(PURGED, (purge_id,))
        return [email_log_id for (email_log_id,) in self._cursor]

    def save(self, changes: Changes) -> None:
        self._purge(changes.purged)
        self._add_emails(changes.registered)
        self._add_campaigns(changes.campaigns)
        self._add_names(changes)
        self._change_emails(changes.changed.values())
        self._remove_rows_of(changes.replaced)
        self._remove_implied_opens(changes.implied_opens_gone)
        # Only the registration knows when an email's row was created: rows that tell it are not settled yet.
        contacts_are_new = bool(changes.registered) or any(email.created_at for email in changes.changed.values())
        self._writes.execute(_TRUST_CONTACTS)
        self._add_events(changes.events, contacts_are_new=contacts_are_new)
        self._add_automated(changes.automated, contacts_are_new=contacts_are_new)
        self._writes.execute(_CHECK_AGAIN)
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
                key = (email.organization_id, email.campaign_id)
                first_sent[key] = min(email.sent_at, first_sent.get(key, email.sent_at))
        self._add_campaigns(first_sent)

    def _add_campaigns(self, first_sent: Mapping[tuple[UUID, UUID], datetime]) -> None:
        if first_sent:
            self._writes.execute(
                "INSERT INTO campaigns AS c (organization_id, id, first_sent_at)"
                " SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[])"
                " ON CONFLICT (organization_id, id) DO UPDATE SET first_sent_at = excluded.first_sent_at"
                " WHERE excluded.first_sent_at < c.first_sent_at",
                _columns([(organization, campaign, at) for (organization, campaign), at in sorted(first_sent.items())]),
            )

    def _purge(self, email_log_ids: Collection[int]) -> None:
        if email_log_ids:
            for statement in PURGE:
                self._writes.execute(statement, {"gone": list(email_log_ids)})

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
                [
                    email.id,
                    # As `_plain`, for what may change: moments, numbers and texts. Twenty calls an email less.
                    *[
                        microseconds(value) if type(value) is datetime else value
                        for value in astuple(email)[_FIRST_CHANGING:_AFTER_CHANGING]
                    ],
                ]
                for email in emails
            ],
        )
        self._writes.execute(_UPDATE_EMAILS)

    def _remove_rows_of(self, replaced: Sequence[Replaced]) -> None:
        if not replaced:
            return
        # By primary keys alone: a rebuild has no other indexes yet.
        self._writes.execute(_REMOVE_EVENTS, (number_array(place for one in replaced for place in one.places),))
        self._writes.execute(
            "DELETE FROM automated_engagement WHERE id = ANY(%s::uuid[])",
            ("{" + ",".join([key.hex() for one in replaced for key in one.keys]) + "}",),
        )
        self._writes.execute(
            "DELETE FROM email_links WHERE email_log_id = ANY(%s::bigint[])",
            (number_array(one.email.id for one in replaced),),
        )
        if erased := [one.email.id for one in replaced if one.email.erased_by is not None]:
            self._writes.execute(
                "UPDATE email_logs SET recipient_email = '', recipient_name = '', subject = ''"
                " WHERE id = ANY(%s::bigint[])",
                (number_array(erased),),
            )

    def _remove_implied_opens(self, emails: Collection[EmailLog]) -> None:
        if not emails:
            return
        self._writes.execute(_REMOVE_EVENTS, (number_array(-email.id for email in emails),))

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
                    microseconds(row.occurred_at),
                    row.url,
                    row.ip_address,
                    row.user_agent,
                    _json(row.event_data).decode() if row.event_data else None,
                    microseconds(row.recorded_at),
                    row.verdict,
                    _text_array(row.reasons) if row.reasons else None,
                    row.email.campaign_contact_id.hex,
                    row.email.tracking_id,
                    "t" if row.email.tracking else "f",
                    row.email.job_id,
                    row.email.campaign_id.hex if row.email.campaign_id else None,
                    row.email.template_id,
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
                    automated.row.verdict,
                    _text_array(automated.row.reasons),
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
                number_array(email_log_id for (email_log_id, _), _ in links),
                uuid_array(key for (_, key), _ in links),
                uuid_array(clicks.email.organization_id for _, clicks in links),
                uuid_array(clicks.email.campaign_id for _, clicks in links),
                uuid_array(clicks.email.campaign_contact_id for _, clicks in links),
                text_array(clicks.url for _, clicks in links),
                text_array(clicks.link_position for _, clicks in links),
                text_array(clicks.link_text for _, clicks in links),
                number_array(clicks.click_count for _, clicks in links),
                number_array(clicks.scanner_click_count for _, clicks in links),
                instant_array(clicks.first_clicked_at for _, clicks in links),
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
            grown = [(name, column) for name, column in zip(_TOTALS_FIELDS, sums, strict=True) if any(column)]
            self._writes.execute(
                add_totals(tuple(name for name, _ in grown)),
                [
                    uuid_array(organizations),
                    instant_array(hours),
                    text_array(jobs),
                    uuid_array(campaigns),
                    text_array(templates),
                    *(number_array(column) for _, column in grown),
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
        microseconds(row.occurred_at),
        email.tracking_id,
        row.user_agent,
        row.ip_address,
        row.url,
        microseconds(row.recorded_at),
        email.organization_id.hex,
        email.id,
        email.job_id,
        email.campaign_id.hex if email.campaign_id else None,
        email.template_id,
    )


def _text_array(words: Iterable[str]) -> str:
    """Write a ``text[]`` of words such as names of rules, which need no quotes."""
    return "{" + ",".join(words) + "}"


def _plain(value: object) -> str | int | None:
    """Write what the staged tables take, without psycopg's Python dumpers."""
    kind = type(value)
    if value is None or kind is int or kind is str:
        return value  # type: ignore[return-value]  # one of the three
    if kind is datetime:
        return microseconds(value)  # type: ignore[arg-type]  # it is a datetime
    if kind is bool:
        return "t" if value else "f"
    return str(value)
