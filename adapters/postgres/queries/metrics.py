"""Metrics of campaigns, jobs and templates from sums by the quarter of an hour; links from what people followed."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL, Composable, Composed, Identifier

from adapters.postgres.queries.visibility import audience_parameters, sees_job, sees_totals
from adapters.postgres.query_pool import ScopedDatabase
from read_models.audience import Audience
from read_models.metrics.metrics import EmailTotals
from read_models.metrics.queries import (
    CampaignEmails,
    CandidateLinkClicks,
    JobEmails,
    LinkClicks,
    LinkGrouping,
    Subject,
    TemplateEmails,
)
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
        count(DISTINCT {unique}) FILTER (WHERE {clicks} > 0) AS unique_clicks,
        sum(l.scanner_click_count)::bigint AS scanner_click_count{more}
    FROM email_links l JOIN email_logs e ON e.id = l.email_log_id
    WHERE l.organization_id = %(organization_id)s AND e.organization_id = %(organization_id)s
        AND {chosen} AND {sees_email}
    GROUP BY {group} HAVING sum({clicks}) > 0
) links WHERE {after} ORDER BY click_count DESC, link LIMIT %(rows)s
""")
OF_SUBJECT = SQL("e.{column} = %(subject_id)s")
OF_CANDIDATE = SQL("e.recipient_type = 'Candidate' AND e.recipient_id = %(candidate_id)s")
# What privacy mode withholds has no time.
SHOWN_OF_CANDIDATE = SQL("{of_candidate} AND (l.first_clicked_at IS NOT NULL OR l.click_count = 0)")
IS_CANDIDATE = SQL("""
SELECT EXISTS (
    SELECT FROM email_logs e WHERE e.organization_id = %(organization_id)s AND {of_candidate} AND {sees_email}
) AS known
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
        query = _links(
            audience,
            grouping,
            page,
            chosen=OF_SUBJECT.format(column=Identifier(COLUMNS[type(subject)])),
            unique=SQL("l.campaign_contact_id"),
            more=SQL(""),
            with_automated=with_automated,
        )
        async with self._database.reading(audience.organization_id) as connection:
            if not await _is_known(connection, audience, subject):
                return None
            cursor = await connection.execute(query, _parameters(audience, subject) | _part(page))
            rows = await cursor.fetchall()
        keys = _keys_of(rows)
        return page_of([LinkClicks(**row) for row in rows], page.limit, keys=keys)

    async def candidate_links(
        self,
        audience: Audience,
        candidate_id: str,
        grouping: LinkGrouping,
        page: PageRequest,
        *,
        with_automated: bool = False,
    ) -> Page[CandidateLinkClicks] | None:
        query = _links(
            audience,
            grouping,
            page,
            chosen=SHOWN_OF_CANDIDATE.format(of_candidate=OF_CANDIDATE),
            unique=SQL("l.email_log_id"),
            more=SQL(", min(l.first_clicked_at) AS first_clicked_at"),
            with_automated=with_automated,
        )
        known = IS_CANDIDATE.format(of_candidate=OF_CANDIDATE, sees_email=sees_job(audience, "e", "job_id"))
        parameters = {**audience_parameters(audience), "candidate_id": candidate_id, **_part(page)}
        async with self._database.reading(audience.organization_id) as connection:
            row = await (await connection.execute(known, parameters)).fetchone()
            if not (row and row["known"]):
                return None
            rows = await (await connection.execute(query, parameters)).fetchall()
        keys = _keys_of(rows)
        return page_of([CandidateLinkClicks(**row) for row in rows], page.limit, keys=keys)


def _links(
    audience: Audience,
    grouping: LinkGrouping,
    page: PageRequest,
    *,
    chosen: Composable,
    unique: Composable,
    more: Composable,
    with_automated: bool,
) -> Composed:
    return LINKS.format(
        identity=IDENTITIES[grouping],
        clicks=BY_ANY if with_automated else BY_PEOPLE,
        unique=unique,
        more=more,
        chosen=chosen,
        sees_email=sees_job(audience, "e", "job_id"),
        group=GROUPS[grouping],
        after=AFTER if page.after(LinkKey) else SQL("true"),
    )


def _part(page: PageRequest) -> dict[str, Any]:
    after = page.after(LinkKey)
    return {"rows": page.limit + 1, **(after._asdict() if after else {})}


def _keys_of(rows: Sequence[DictRow]) -> list[LinkKey]:
    """Give the place of each row, and leave in it what is shown."""
    return [LinkKey(row["click_count"], row.pop("link")) for row in rows]


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
