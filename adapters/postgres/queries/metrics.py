"""Metrics of campaigns, jobs and templates from hourly sums; links from what people followed."""

from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composed, Identifier

from adapters.postgres.queries.visibility import audience_parameters, sees_job, sees_totals
from adapters.postgres.query_pool import ScopedDatabase
from read_models.audience import Audience
from read_models.metrics.metrics import EmailTotals
from read_models.metrics.queries import CampaignEmails, JobEmails, LinkClicks, LinkGrouping, Subject, TemplateEmails
from read_models.paging import Page, PageRequest, page_of

COLUMNS = {CampaignEmails: "campaign_id", JobEmails: "job_id", TemplateEmails: "template_id"}
NO_SUBJECT = "00000000-0000-0000-0000-000000000000"
"""What the sums call "no campaign"; nobody's campaign has this id."""

# Sums outlive the emails they were made from; emails without tracking are in no sum.
KNOWN = SQL("""
SELECT EXISTS (SELECT FROM email_totals t WHERE t.organization_id = %(organization_id)s
        AND t.{column} = %(subject_id)s AND {sees_totals})
    OR EXISTS (SELECT FROM email_logs e WHERE e.organization_id = %(organization_id)s
        AND e.{column} = %(subject_id)s AND {sees_email}) AS known
""")
TOTALS = SQL("""
SELECT {sums} FROM email_totals t
WHERE t.organization_id = %(organization_id)s AND t.{column} = %(subject_id)s AND {sees_totals}
""")
SUM = SQL("coalesce(sum({field}), 0)::bigint AS {field}")
LINKS = SQL("""
SELECT * FROM (
    SELECT l.url, {identity}, sum({clicks})::bigint AS click_count,
        count(DISTINCT l.campaign_contact_id) FILTER (WHERE {clicks} > 0) AS unique_clicks,
        sum(l.scanner_click_count)::bigint AS scanner_click_count
    FROM email_links l JOIN email_logs e ON e.id = l.email_log_id
    WHERE l.organization_id = %(organization_id)s AND e.organization_id = %(organization_id)s
        AND e.{column} = %(subject_id)s AND {sees_email}
    GROUP BY {group} HAVING sum({clicks}) > 0
) links WHERE {after} ORDER BY click_count DESC, link LIMIT %(rows)s
""")
BY_PEOPLE, BY_ANY = SQL("l.click_count"), SQL("(l.click_count + l.scanner_click_count)")
GROUPS = {LinkGrouping.URL: SQL("l.url"), LinkGrouping.POSITION: SQL("l.url, l.link_position")}
IDENTITIES = {
    LinkGrouping.URL: SQL("NULL AS link_position, NULL AS link_text, md5(l.url) AS link"),
    LinkGrouping.POSITION: SQL(
        "l.link_position, max(l.link_text) AS link_text, md5(l.link_position || E'\\n' || l.url) AS link"
    ),
}
AFTER = SQL("(click_count < %(click_count)s OR (click_count = %(click_count)s AND link > %(link)s))")


class LinkKey(NamedTuple):
    """Place of a link in the list of a subject's links."""

    click_count: int
    link: str


class PostgresMetricsQueries:
    """Implements `MetricsQueries`."""

    def __init__(self, database: ScopedDatabase) -> None:
        self._database = database

    async def totals(self, audience: Audience, subject: Subject) -> EmailTotals | None:
        parameters = _parameters(audience, subject)
        sums = SQL(", ").join(SUM.format(field=Identifier(name)) for name in EmailTotals.__struct_fields__)
        async with self._database.reading(audience.organization_id) as connection:
            if not await _is_known(connection, audience, subject):
                return None
            cursor = await connection.execute(_about(TOTALS, audience, subject, sums=sums), parameters)
            row = await cursor.fetchone()
        return EmailTotals(**(row or {}))

    async def links(
        self,
        audience: Audience,
        subject: Subject,
        grouping: LinkGrouping,
        page: PageRequest,
        *,
        with_automated: bool = False,
    ) -> Page[LinkClicks] | None:
        after = page.after(LinkKey)
        query = _about(
            LINKS,
            audience,
            subject,
            identity=IDENTITIES[grouping],
            clicks=BY_ANY if with_automated else BY_PEOPLE,
            group=GROUPS[grouping],
            after=AFTER if after else SQL("true"),
        )
        parameters = _parameters(audience, subject) | (after._asdict() if after else {}) | {"rows": page.limit + 1}
        async with self._database.reading(audience.organization_id) as connection:
            if not await _is_known(connection, audience, subject):
                return None
            rows = await (await connection.execute(query, parameters)).fetchall()
        keys = [LinkKey(row["click_count"], row.pop("link")) for row in rows]
        return page_of([LinkClicks(**row) for row in rows], page.limit, keys=keys)


async def _is_known(connection: AsyncConnection[DictRow], audience: Audience, subject: Subject) -> bool:
    if str(subject.id) == NO_SUBJECT:
        return False
    cursor = await connection.execute(_about(KNOWN, audience, subject), _parameters(audience, subject))
    row = await cursor.fetchone()
    return bool(row and row["known"])


def _about(query: SQL, audience: Audience, subject: Subject, **parts: Any) -> Composed:
    return query.format(
        column=Identifier(COLUMNS[type(subject)]),
        sees_totals=sees_totals(audience, "t"),
        sees_email=sees_job(audience, "e", "job_id"),
        **parts,
    )


def _parameters(audience: Audience, subject: Subject) -> dict[str, Any]:
    return {**audience_parameters(audience), "subject_id": subject.id}
