"""How engagement rows get into PostgreSQL, by the set; table names resolve by the transaction's search_path."""

from collections.abc import Collection, Iterable
from typing import Final

from adapters.postgres.arrays import as_instant
from read_models.engagement.rows import WORDS
from read_models.engagement.view import EmailLog, Totals

_ALL: Final = EmailLog.__struct_fields__
_LOADED: Final = _ALL[: _ALL.index("created_at")]
"""In the order of the struct, whose later fields only the registration tells."""
CHANGING: Final = slice(_ALL.index("updated_at"), _ALL.index("created_at"))
"""Where in the struct the fields are that change after the registration."""
_CHANGING: Final = _ALL[CHANGING]
LOAD: Final = f"SELECT {', '.join(_LOADED)} FROM email_logs WHERE email_id = ANY(%s::uuid[])"  # noqa: S608 - constants
FOLLOWED: Final = (
    "SELECT l.email_log_id, l.link_key FROM unnest(%s::bigint[], %s::uuid[]) AS k (email_log_id, link_key)"
    " JOIN email_links l USING (email_log_id, link_key) WHERE l.click_count > 0"
)
ADDRESSED: Final = "SELECT email_id, addressee_id FROM email_logs WHERE addressee_id = ANY(%s::uuid[])"
_INSTANTS: Final = {name for name in _ALL if name.endswith("_at")}


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


STAGE_REGISTRATIONS: Final = _stage("staged_registrations", "email_logs", _ALL, _INSTANTS)
STAGE_EMAILS: Final = _stage("staged_emails", "email_logs", ("id", *_CHANGING), _INSTANTS)
COPY_REGISTRATIONS: Final = f"COPY pg_temp.staged_registrations ({', '.join(_ALL)}) FROM STDIN"
ADD_REGISTRATIONS: Final = (
    f"INSERT INTO email_logs ({', '.join(_ALL)})"  # noqa: S608 - constants
    f" SELECT {_staged(_ALL, _INSTANTS)} FROM pg_temp.staged_registrations"
)
ADD_CONTACTS: Final = (
    "INSERT INTO campaign_contacts (id, organization_id, campaign_id, contact_id)"
    " SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[]) ON CONFLICT (id) DO NOTHING"
)
ADD_CAMPAIGNS: Final = (
    "INSERT INTO campaigns AS c (organization_id, id, first_sent_at)"
    " SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::timestamptz[])"
    " ON CONFLICT (organization_id, id) DO UPDATE SET first_sent_at = excluded.first_sent_at"
    " WHERE excluded.first_sent_at < c.first_sent_at"
)
NAME_JOBS: Final = (
    "INSERT INTO jobs AS j (organization_id, id, title, hiring_manager_id, named_at, named_by)"
    " SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[])"
    " ON CONFLICT (organization_id, id) DO UPDATE SET title = excluded.title,"
    " hiring_manager_id = excluded.hiring_manager_id, named_at = excluded.named_at,"
    " named_by = excluded.named_by WHERE (j.named_at, j.named_by) < (excluded.named_at, excluded.named_by)"
)
NAME_TEMPLATES: Final = (
    "INSERT INTO templates AS t (organization_id, id, name, named_at, named_by)"
    " SELECT * FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::timestamptz[], %s::bigint[])"
    " ON CONFLICT (organization_id, id) DO UPDATE SET name = excluded.name, named_at = excluded.named_at,"
    " named_by = excluded.named_by WHERE (t.named_at, t.named_by) < (excluded.named_at, excluded.named_by)"
)
COPY_EMAILS: Final = f"COPY pg_temp.staged_emails (id, {', '.join(_CHANGING)}) FROM STDIN"
CHANGE_EMAILS: Final = (
    "UPDATE email_logs e SET "  # noqa: S608 - constants
    + ", ".join(f"{name} = {as_instant(f's.{name}') if name in _INSTANTS else f's.{name}'}" for name in _CHANGING)
    + " FROM pg_temp.staged_emails s WHERE e.id = s.id"
)
FORGET_WHO: Final = (
    "UPDATE email_logs SET recipient_email = '', recipient_name = '', subject = '' WHERE id = ANY(%s::bigint[])"
)
_EVENT_COLUMNS: Final = (
    "id, event_id, organization_id, email_log_id, event_type, occurred_at, url, ip_address, user_agent, metadata,"
    " created_at, verdict, reasons"
)
_EVENT_INSTANTS: Final = {"occurred_at", "created_at"}
STAGE_EVENTS: Final = _stage(
    "staged_events",
    "email_engagement_events",
    _EVENT_COLUMNS.split(", "),
    _EVENT_INSTANTS,
    ", NULL::uuid AS campaign_contact_id, NULL::text AS tracking_id, NULL::boolean AS tracking,"
    " NULL::text AS job_id, NULL::uuid AS campaign_id, NULL::text AS template_id",
)
COPY_EVENTS: Final = (
    f"COPY pg_temp.staged_events ({_EVENT_COLUMNS}, campaign_contact_id, tracking_id, tracking, job_id, campaign_id,"
    " template_id) FROM STDIN"
)
ADD_EVENTS: Final = (
    f"INSERT INTO email_engagement_events ({_EVENT_COLUMNS})"  # noqa: S608 - constants
    f" SELECT {_staged(_EVENT_COLUMNS.split(', '), _EVENT_INSTANTS)} FROM pg_temp.staged_events"
)
_TRACKING_COLUMNS: Final = (
    "id, campaign_contact_id, event_type, event_data, event_timestamp, tracking_id, user_agent, ip_address,"
    " clicked_url, created_at, organization_id, email_log_id, job_id, campaign_id, template_id"
)
TRUST_CONTACTS: Final = (
    "SELECT set_config('session_replication_role', 'replica', true) WHERE current_setting('is_superuser') = 'on'"
)
"""Looking up and locking the contact of every row is a third of what adding it costs. The contact is there: it was
added with its email, by the one projector that may write (ADR 0015). Users that may not say so, which superusers such
as the embedded server's may, have their rows checked one by one."""
CHECK_AGAIN: Final = TRUST_CONTACTS.replace("'replica'", "'origin'")
"""Before anything is deleted: what hangs on a contact goes with it."""
_LONG_WORDS: Final = " ".join(f"WHEN '{short}' THEN '{long}'" for long, short in WORDS.values())
ADD_TRACKING: Final = (
    f"INSERT INTO engagement_tracking ({_TRACKING_COLUMNS})"  # noqa: S608 - constants
    f" SELECT event_id, campaign_contact_id, CASE event_type {_LONG_WORDS} END, metadata, {as_instant('occurred_at')},"
    f" tracking_id, user_agent, ip_address, url, {as_instant('created_at')}, organization_id, email_log_id,"
    " job_id, campaign_id, template_id"
    " FROM pg_temp.staged_events WHERE tracking"
)
ADD_TRACKING_OF_NEW_CONTACTS: Final = ADD_TRACKING.replace(
    " campaign_contact_id, CASE",
    " (SELECT e.campaign_contact_id FROM email_logs e WHERE e.id = email_log_id), CASE",
)
"""Among emails registered in the same batch a contact may have turned out to be another organisation's."""
REMOVE_EVENTS: Final = (
    "WITH gone AS (DELETE FROM email_engagement_events WHERE id = ANY(%s::bigint[]) RETURNING event_id)"
    " DELETE FROM engagement_tracking WHERE id IN (SELECT event_id FROM gone)"
)
_AUTOMATED_COLUMNS: Final = f"{_TRACKING_COLUMNS}, engagement_event_id, verdict, reasons, confidence, rule_version"
_AUTOMATED_INSTANTS: Final = {"event_timestamp", "created_at"}
STAGE_AUTOMATED: Final = _stage(
    "staged_automated", "automated_engagement", _AUTOMATED_COLUMNS.split(", "), _AUTOMATED_INSTANTS
)
COPY_AUTOMATED: Final = f"COPY pg_temp.staged_automated ({_AUTOMATED_COLUMNS}) FROM STDIN"
ADD_AUTOMATED: Final = (
    f"INSERT INTO automated_engagement ({_AUTOMATED_COLUMNS})"  # noqa: S608 - constants
    f" SELECT {_staged(_AUTOMATED_COLUMNS.split(', '), _AUTOMATED_INSTANTS)} FROM pg_temp.staged_automated"
)
ADD_AUTOMATED_OF_NEW_CONTACTS: Final = ADD_AUTOMATED.replace(
    " SELECT id, campaign_contact_id,",
    " SELECT id, (SELECT e.campaign_contact_id FROM email_logs e WHERE e.id = email_log_id),",
)
REMOVE_AUTOMATED: Final = "DELETE FROM automated_engagement WHERE id = ANY(%s::uuid[])"
TOTALS_FIELDS: Final = Totals.__struct_fields__
_LINK_COLUMNS: Final = (
    "email_log_id, link_key, organization_id, campaign_id, campaign_contact_id, url, link_position, link_text,"
    " click_count, scanner_click_count, first_clicked_at"
)
ADD_LINKS: Final = f"""
INSERT INTO email_links AS l ({_LINK_COLUMNS})
SELECT {_staged(_LINK_COLUMNS.split(", "), {"first_clicked_at"})}
FROM unnest(%s::bigint[], %s::uuid[], %s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[],
    %s::integer[], %s::integer[], %s::bigint[]) AS s ({_LINK_COLUMNS})
ON CONFLICT (email_log_id, link_key) DO UPDATE SET click_count = l.click_count + excluded.click_count,
    scanner_click_count = l.scanner_click_count + excluded.scanner_click_count,
    first_clicked_at = least(l.first_clicked_at, excluded.first_clicked_at),
    link_text = CASE l.link_text WHEN '' THEN excluded.link_text ELSE l.link_text END
"""  # noqa: S608 - constants
REMOVE_LINKS: Final = "DELETE FROM email_links WHERE email_log_id = ANY(%s::bigint[])"

KEEP_CONTACTS_APART: Final = """
WITH apart AS (
    UPDATE email_logs e SET campaign_contact_id = e.email_id FROM campaign_contacts c
    WHERE e.id = ANY(%s) AND c.id = e.campaign_contact_id AND c.organization_id <> e.organization_id
    RETURNING e.email_id, e.organization_id, e.campaign_id, e.recipient_id
)
INSERT INTO campaign_contacts (id, organization_id, campaign_id, contact_id)
SELECT * FROM apart ON CONFLICT (id) DO NOTHING
"""
"""Contacts are named by the organisations: one that names another's gets its own instead, and touches nothing of it."""
FOLLOW_CONTACTS: Final = (
    "UPDATE email_links t SET campaign_contact_id = e.campaign_contact_id FROM email_logs e"
    " WHERE e.id = ANY(%s) AND t.email_log_id = e.id AND t.campaign_contact_id <> e.campaign_contact_id"
)
"""For links that were followed with a contact that turned out to be another organisation's."""
