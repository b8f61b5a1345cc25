"""Contacts by their opens and clicks, counted as the seed's example query counts them."""

from datetime import datetime
from typing import NamedTuple

from psycopg.sql import SQL

from adapters.postgres.queries.visibility import audience_parameters, sees_job
from adapters.postgres.query_pool import ROOM_TO_COUNT, ScopedDatabase
from read_models.audience import Audience
from read_models.contacts.queries import EngagedContact, NotEngagedContact, NotEngagedFilter
from read_models.paging import Page, PageRequest, page_of

# An email counts what it has as rows in engagement_tracking, where a click without an open implies one: this gives
# what the seed's query gives, without reading every event.
ENGAGED = SQL("""
SELECT contact_id, opens, clicks, machine_open_count, scanner_click_count FROM (
    SELECT cc.contact_id,
        coalesce(sum(greatest(e.open_count, (e.click_count > 0)::integer)) FILTER (WHERE e.tracking), 0) AS opens,
        coalesce(sum(e.click_count) FILTER (WHERE e.tracking), 0) AS clicks,
        coalesce(sum(e.machine_open_count) FILTER (WHERE e.tracking), 0) AS machine_open_count,
        coalesce(sum(e.scanner_click_count) FILTER (WHERE e.tracking), 0) AS scanner_click_count
    FROM email_logs e JOIN campaign_contacts cc ON cc.id = e.campaign_contact_id
    WHERE e.organization_id = %(organization_id)s AND cc.organization_id = %(organization_id)s AND {sees_email}
    GROUP BY cc.contact_id
) contacts
WHERE clicks >= %(min_clicks)s AND {after}
ORDER BY clicks DESC, contact_id LIMIT %(rows)s
""")
# What any email of the organisation tells of a person keeps them off the list, whoever asks: it only gets shorter.
NOT_ENGAGED = SQL("""
SELECT contacts.contact_id, contacts.emails, contacts.last_sent_at, nullif(latest.recipient_name, '') AS name,
    nullif(latest.recipient_email, '') AS email
FROM (
    SELECT * FROM (
        SELECT recipient_id AS contact_id, count(*) FILTER (WHERE {arrived}) AS emails,
            max(sent_at) FILTER (WHERE {arrived}) AS last_sent_at
        FROM email_logs WHERE organization_id = %(organization_id)s AND {conditions}
        GROUP BY recipient_id
        HAVING bool_or({arrived}) AND sum(open_count + click_count + reply_count) = 0
    ) counted
    -- In order before anything is looked up: then it is looked up for a page, and not for all.
    WHERE {after} ORDER BY last_sent_at DESC, contact_id OFFSET 0
) contacts
CROSS JOIN LATERAL (
    SELECT e.recipient_name, e.recipient_email FROM email_logs e
    WHERE e.organization_id = %(organization_id)s AND e.recipient_id = contacts.contact_id AND {sees_email}
    ORDER BY e.sent_at DESC, e.id DESC LIMIT 1
) latest
WHERE NOT EXISTS (
    SELECT FROM email_logs x
    LEFT JOIN ops.tracking_consents t ON t.addressee_id = x.addressee_id AND t.consent = 'opted_out'
    WHERE x.organization_id = %(organization_id)s AND x.recipient_id = contacts.contact_id
        AND (x.bounced_at IS NOT NULL OR x.unsubscribed_at IS NOT NULL OR x.spam_reported_at IS NOT NULL
            OR t.addressee_id IS NOT NULL)
)
ORDER BY last_sent_at DESC, contact_id LIMIT %(rows)s
""")
ARRIVED = SQL("(tracking AND delivered_at IS NOT NULL)")
NOT_ENGAGED_AFTER = SQL(
    "(last_sent_at < %(last_sent_at)s OR (last_sent_at = %(last_sent_at)s AND contact_id > %(contact_id)s))"
)
AFTER = SQL("(clicks < %(clicks)s OR (clicks = %(clicks)s AND contact_id > %(contact_id)s))")


class ContactKey(NamedTuple):
    """Place of a contact in the list."""

    clicks: int
    contact_id: str


class NotEngagedKey(NamedTuple):
    """Place of a contact in the list of those who did nothing."""

    last_sent_at: datetime
    contact_id: str


class PostgresContactQueries:
    """Implements `ContactQueries`."""

    def __init__(self, database: ScopedDatabase) -> None:
        self._database = database

    async def engaged(self, audience: Audience, *, min_clicks: int, page: PageRequest) -> Page[EngagedContact]:
        after = page.after(ContactKey)
        query = ENGAGED.format(
            sees_email=sees_job(audience, "e", "job_id"),
            after=AFTER if after else SQL("true"),
        )
        parameters = {
            **audience_parameters(audience),
            "min_clicks": min_clicks,
            "rows": page.limit + 1,
            **(after._asdict() if after else {}),
        }
        async with self._database.reading(audience.organization_id) as connection:
            await connection.execute(ROOM_TO_COUNT)
            cursor = await connection.execute(query, parameters)
            contacts = [EngagedContact(**row) for row in await cursor.fetchall()]
        return page_of(contacts, page.limit, keys=[ContactKey(c.clicks, c.contact_id) for c in contacts])

    async def not_engaged(
        self, audience: Audience, wanted: NotEngagedFilter, page: PageRequest
    ) -> Page[NotEngagedContact]:
        after = page.after(NotEngagedKey)
        conditions = [sees_job(audience, "job_id")]
        if wanted.campaign_id is not None:
            conditions.append(SQL("campaign_id = %(campaign_id)s").format())
        if wanted.sent_before is not None:
            conditions.append(SQL("sent_at < %(sent_before)s").format())
        query = NOT_ENGAGED.format(
            arrived=ARRIVED,
            conditions=SQL(" AND ").join(conditions),
            sees_email=sees_job(audience, "e", "job_id"),
            after=NOT_ENGAGED_AFTER if after else SQL("true"),
        )
        parameters = {
            **audience_parameters(audience),
            "campaign_id": wanted.campaign_id,
            "sent_before": wanted.sent_before,
            "rows": page.limit + 1,
            **(after._asdict() if after else {}),
        }
        async with self._database.reading(audience.organization_id) as connection:
            await connection.execute(ROOM_TO_COUNT)
            cursor = await connection.execute(query, parameters)
            contacts = [NotEngagedContact(**row) for row in await cursor.fetchall()]
        return page_of(contacts, page.limit, keys=[NotEngagedKey(c.last_sent_at, c.contact_id) for c in contacts])
