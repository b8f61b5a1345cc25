"""Contacts by their opens and clicks, counted as the seed's example query counts them."""

from typing import NamedTuple

from psycopg.sql import SQL

from adapters.postgres.queries.visibility import audience_parameters, sees_job
from adapters.postgres.query_pool import ScopedDatabase
from read_models.audience import Audience
from read_models.contacts.queries import EngagedContact
from read_models.paging import Page, PageRequest, page_of

# An email counts what it has as rows in engagement_tracking, where a click without an open implies one: this gives
# what the seed's query gives, without reading every event.
ENGAGED = SQL("""
SELECT contact_id, opens, clicks FROM (
    SELECT cc.contact_id,
        coalesce(sum(greatest(e.open_count, (e.click_count > 0)::integer)) FILTER (WHERE e.tracking), 0) AS opens,
        coalesce(sum(e.click_count) FILTER (WHERE e.tracking), 0) AS clicks
    FROM email_logs e JOIN campaign_contacts cc ON cc.id = e.campaign_contact_id
    WHERE e.organization_id = %(organization_id)s AND cc.organization_id = %(organization_id)s AND {sees_email}
    GROUP BY cc.contact_id
) contacts
WHERE clicks >= %(min_clicks)s AND {after}
ORDER BY clicks DESC, contact_id LIMIT %(rows)s
""")
AFTER = SQL("(clicks < %(clicks)s OR (clicks = %(clicks)s AND contact_id > %(contact_id)s))")


class ContactKey(NamedTuple):
    """Place of a contact in the list."""

    clicks: int
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
            cursor = await connection.execute(query, parameters)
            contacts = [EngagedContact(**row) for row in await cursor.fetchall()]
        return page_of(contacts, page.limit, keys=[ContactKey(c.clicks, c.contact_id) for c in contacts])
