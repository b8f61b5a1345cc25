"""What the ranking of somebody who sees some jobs is made of, counted on the spot.

Thousands of candidates are ranked, of whom a page is shown. Most did the same as many others, so the database tells
what was done and by how many, and names no more of them than a page can hold.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL

from adapters.postgres.candidate_activity import RECENT, SCORED
from adapters.postgres.queries.visibility import audience_parameters, sees_job
from domain.policies.scoring import RECENCY_STEPS, WINDOW, CandidateActivity
from read_models.audience import Audience
from read_models.candidates.ranking import Alike, RankKey

_AN_INSTANT: Final = timedelta(microseconds=1)
# Of the emails of 90 days alone, few beside all: nothing earlier is in a score, but for who unsubscribed.
ALIKE: Final = SQL("""
SELECT emails_sent, emails_opened, emails_clicked, emails_replied, hard_bounced, unsubscribed,
    max(last_engaged_at) AS last_engaged_at, count(*) AS candidates,
    (array_agg(candidate_id ORDER BY candidate_id COLLATE "C"))[:%(rows)s] AS first_ids,
    coalesce((array_agg(candidate_id ORDER BY candidate_id COLLATE "C")
        FILTER (WHERE candidate_id COLLATE "C" > %(after)s))[:%(rows)s], '{{}}') AS next_ids
FROM (
    SELECT c.candidate_id, c.emails_sent, c.emails_opened, c.emails_clicked, c.emails_replied, c.hard_bounced,
        c.last_engaged_at, width_bucket(c.last_engaged_at, %(engaged_since)s::timestamptz[]) AS recency,
        c.unsubscribed OR c.candidate_id IN (
            SELECT e.recipient_id FROM email_logs e WHERE e.organization_id = %(organization_id)s
                AND e.recipient_type = 'Candidate' AND e.unsubscribed_at IS NOT NULL AND e.sent_at <= %(since)s
                AND {seen}
        ) AS unsubscribed
    FROM (
        SELECT e.recipient_id AS candidate_id, {scored} FROM email_logs e {recent}
        WHERE e.organization_id = %(organization_id)s AND e.recipient_type = 'Candidate'
            AND e.sent_at > %(since)s AND {seen}
        GROUP BY e.recipient_id HAVING count(*) FILTER (WHERE recent) > 0
    ) c
) c
GROUP BY emails_sent, emails_opened, emails_clicked, emails_replied, hard_bounced, unsubscribed, recency
""")
SEEN: Final = SQL(
    "SELECT count(DISTINCT e.recipient_id) AS candidates FROM email_logs e"
    " WHERE e.organization_id = %(organization_id)s AND e.recipient_type = 'Candidate' AND {seen}"
)
# By bytes, as Python sorts those who were measured.
UNMEASURED: Final = SQL(
    'SELECT DISTINCT e.recipient_id COLLATE "C" AS candidate_id FROM email_logs e'
    " WHERE e.organization_id = %(organization_id)s AND e.recipient_type = 'Candidate' AND {seen}"
    ' AND e.recipient_id COLLATE "C" > %(after)s'
    " AND e.recipient_id NOT IN (SELECT e.recipient_id FROM email_logs e"
    " WHERE e.organization_id = %(organization_id)s AND e.recipient_type = 'Candidate'"
    " AND e.tracking AND e.sent_at > %(since)s AND {seen})"
    " ORDER BY 1 LIMIT %(rows)s"
)


async def measured_alike(
    connection: AsyncConnection[DictRow], audience: Audience, now: datetime, *, after: RankKey | None, most: int
) -> list[Alike]:
    """Give the candidates with a tracked email in 90 days, those together who get the same score.

    Args:
        connection: Of the audience's organisation.
        audience: Whose jobs count.
        now: Aware UTC.
        after: The last candidate of the page before.
        most: How many of each are named, at most.
    """
    parameters = _parameters(audience, now, after.candidate_id if after else "", most)
    # A bucket begins with its bound, but what is as long ago as a step counts no more.
    parameters["engaged_since"] = sorted(now - limit + _AN_INSTANT for limit, _ in RECENCY_STEPS)
    query = ALIKE.format(seen=sees_job(audience, "e", "job_id"), scored=SQL(SCORED), recent=SQL(RECENT))
    rows = await (await connection.execute(query, parameters)).fetchall()
    return [
        Alike(
            candidates=row.pop("candidates"),
            first_ids=row.pop("first_ids"),
            next_ids=row.pop("next_ids"),
            activity=CandidateActivity(oldest_sent_at=None, **row),
        )
        for row in rows
    ]


async def unmeasured_ids(
    connection: AsyncConnection[DictRow], audience: Audience, now: datetime, *, after: str, most: int
) -> Sequence[str]:
    """Give the next of the candidates without a tracked email in 90 days, by id."""
    query = UNMEASURED.format(seen=sees_job(audience, "e", "job_id"))
    cursor = await connection.execute(query, _parameters(audience, now, after, most))
    return [row["candidate_id"] for row in await cursor.fetchall()]


async def number_seen(connection: AsyncConnection[DictRow], audience: Audience) -> int:
    """Count the candidates that the audience has emails to."""
    query = SEEN.format(seen=sees_job(audience, "e", "job_id"))
    row = await (await connection.execute(query, audience_parameters(audience))).fetchone()
    return int(row["candidates"]) if row else 0


def _parameters(audience: Audience, now: datetime, after: str, most: int) -> dict[str, Any]:
    return {**audience_parameters(audience), "since": now - WINDOW, "after": after, "rows": most}
