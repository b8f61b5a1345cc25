"""Why a candidate is worth a call: told for a whole page of the ranking at once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL

from adapters.postgres.candidate_activity import RECENT
from adapters.postgres.queries.visibility import audience_parameters, sees_job
from domain.policies.scoring import WINDOW
from read_models.audience import Audience
from read_models.candidates.queries import Grounds

# An email knows its first reply; only where there are more, the latest is looked for among what happened.
GROUNDS: Final = SQL("""
SELECT g.candidate_id, g.links_followed, g.replied_at, coalesce(nullif(j.title, ''), g.job_id, '') AS job
FROM (
    SELECT e.recipient_id AS candidate_id,
        coalesce(sum(e.unique_click_count) FILTER (WHERE recent), 0)::integer AS links_followed,
        max(CASE WHEN e.reply_count > 1 THEN (
            SELECT max(v.occurred_at) FROM email_engagement_events v WHERE v.email_log_id = e.id
                AND v.organization_id = %(organization_id)s AND v.event_type = 'reply'
        ) ELSE e.replied_at END) FILTER (WHERE recent) AS replied_at,
        (array_agg(e.job_id ORDER BY e.sent_at DESC, e.id DESC) FILTER (WHERE e.job_id IS NOT NULL))[1] AS job_id
    FROM email_logs e {recent}
    WHERE e.organization_id = %(organization_id)s AND e.recipient_type = 'Candidate'
        AND e.recipient_id = ANY(%(ids)s) AND {seen}
    GROUP BY e.recipient_id
) g LEFT JOIN jobs j ON j.organization_id = %(organization_id)s AND j.id = g.job_id
""")


async def grounds_of(
    connection: AsyncConnection[DictRow], audience: Audience, ids: Sequence[str], now: datetime
) -> dict[str, Grounds]:
    """Give what the emails that the audience sees tell about the candidates named, by their ids."""
    query = GROUNDS.format(recent=SQL(RECENT), seen=sees_job(audience, "e", "job_id"))
    cursor = await connection.execute(query, {**audience_parameters(audience), "ids": list(ids), "since": now - WINDOW})
    return {row.pop("candidate_id"): Grounds(**row) for row in await cursor.fetchall()}
