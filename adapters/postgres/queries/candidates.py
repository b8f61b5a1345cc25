"""Candidates: the kept ranking for those who see all emails, counted on the spot for those who see some."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import DictRow
from psycopg.sql import SQL

from adapters.postgres.candidate_activity import ACTIVITY, RECENT
from adapters.postgres.queries.visibility import audience_parameters, sees_job
from adapters.postgres.query_pool import ScopedDatabase
from domain.policies.scoring import WINDOW, CandidateActivity, Level, ScoreParts
from read_models.audience import Audience
from read_models.automated import AutomatedActivity
from read_models.candidates.queries import (
    Activity,
    CandidateRanking,
    CandidateRecord,
    CandidateScore,
    LevelCounts,
)
from read_models.candidates.ranking import (
    UNMEASURED_RANK,
    RankKey,
    level_counts,
    part_of,
    rank_of,
    ranking_of,
    score_all,
)
from read_models.metrics.metrics import percent
from read_models.paging import PageRequest, page_of

RECENT_ACTIVITIES = 20
RANKED = SQL(
    "SELECT candidate_id, name, score, level, level_reason, recency_points, open_points, click_points, reply_points,"
    " emails_sent, emails_opened, emails_clicked, emails_replied, last_engaged_at, machine_open_count,"
    " scanner_click_count, raw_opened, raw_clicked FROM candidate_scores"
    " WHERE organization_id = %(organization_id)s AND {level} AND {after}"
    " ORDER BY coalesce(score, -1) DESC, candidate_id LIMIT %(rows)s"
)
AFTER = SQL("coalesce(score, -1) <= %(score)s AND (coalesce(score, -1) < %(score)s OR candidate_id > %(candidate_id)s)")
LEVELS = (
    "SELECT level, count(*) AS candidates FROM candidate_scores WHERE organization_id = %(organization_id)s"
    " GROUP BY level"
)
RECORDS = SQL(
    "SELECT e.recipient_id AS candidate_id, {activity} FROM email_logs e {recent}"
    " WHERE e.organization_id = %(organization_id)s AND e.recipient_type = 'Candidate' AND {of} AND {seen}"
    " GROUP BY e.recipient_id {having}"
)
NAMED = SQL("e.recipient_id = ANY(%(ids)s)")
# Of the emails of 90 days alone, few beside all: nothing earlier is in a score, but for who unsubscribed.
SINCE, MEASURED = SQL("e.sent_at > %(since)s"), SQL("HAVING count(*) FILTER (WHERE recent) > 0")
UNSUBSCRIBED = SQL(
    "SELECT DISTINCT e.recipient_id FROM email_logs e WHERE e.organization_id = %(organization_id)s"
    " AND e.recipient_type = 'Candidate' AND e.unsubscribed_at IS NOT NULL AND e.sent_at <= %(since)s AND {seen}"
)
SEEN = SQL(
    "SELECT count(DISTINCT e.recipient_id) AS candidates FROM email_logs e"
    " WHERE e.organization_id = %(organization_id)s AND e.recipient_type = 'Candidate' AND {seen}"
)
# By bytes, as Python sorts those who were measured.
UNMEASURED = SQL(
    'SELECT DISTINCT e.recipient_id COLLATE "C" AS candidate_id FROM email_logs e'
    " WHERE e.organization_id = %(organization_id)s AND e.recipient_type = 'Candidate' AND {seen}"
    ' AND e.recipient_id COLLATE "C" > %(after)s'
    " AND NOT EXISTS (SELECT FROM unnest(%(measured)s::text[]) AS m (id) WHERE m.id = e.recipient_id)"
    " ORDER BY 1 LIMIT %(rows)s"
)
DID = SQL(
    "SELECT v.event_type, v.occurred_at, e.email_id, e.id AS email_log_id, e.subject, v.url"
    " FROM email_logs e JOIN email_engagement_events v ON v.email_log_id = e.id AND v.id > 0"
    " WHERE e.organization_id = %(organization_id)s AND v.organization_id = %(organization_id)s"
    " AND e.recipient_type = 'Candidate' AND e.recipient_id = %(candidate_id)s AND {seen}"
    " AND v.event_type IN ('open', 'click', 'reply', 'unsubscribe', 'spam')"
    " ORDER BY v.occurred_at DESC, v.id DESC LIMIT %(most)s"
)


class PostgresCandidateQueries:
    """Implements `CandidateQueries`."""

    def __init__(self, database: ScopedDatabase) -> None:
        self._database = database

    async def ranking(
        self, audience: Audience, level: Level | None, page: PageRequest, now: datetime, *, with_automated: bool = False
    ) -> CandidateRanking:
        if audience.hiring_manager_id is None:
            return await self._kept_ranking(audience.organization_id, level, page, with_automated=with_automated)
        async with self._database.reading(audience.organization_id) as connection:
            measured = await _measured(connection, audience, now)
            candidates = score_all(measured, now, with_automated=with_automated)
            part = part_of(candidates, level, page)
            if level is None and len(part) <= page.limit:
                missing = page.limit + 1 - len(part)
                others = await _unmeasured(connection, audience, now, measured, page, most=missing)
                part += score_all(others, now, with_automated=with_automated)
            everybody = await _number_seen(connection, audience)
        levels = Counter(candidate.level for candidate in candidates) + Counter({None: everybody - len(candidates)})
        return ranking_of(part, page, level_counts(levels))

    async def record(self, audience: Audience, candidate_id: str, now: datetime) -> CandidateRecord | None:
        async with self._database.reading(audience.organization_id) as connection:
            records = await _records(connection, audience, now, [candidate_id])
            if not records:
                return None
            cursor = await connection.execute(
                DID.format(seen=sees_job(audience, "e", "job_id")),
                {**audience_parameters(audience), "candidate_id": candidate_id, "most": RECENT_ACTIVITIES},
            )
            did = [Activity(**row) for row in await cursor.fetchall()]
        (record,) = records
        return msgspec.structs.replace(record, recent_activity=did)

    async def _kept_ranking(
        self, organization_id: UUID, level: Level | None, page: PageRequest, *, with_automated: bool
    ) -> CandidateRanking:
        after = page.after(RankKey)
        query = RANKED.format(
            level=SQL("true") if level is None else SQL("level = %(level)s"), after=AFTER if after else SQL("true")
        )
        parameters = {
            "organization_id": organization_id,
            "level": level,
            "rows": page.limit + 1,
            **(after._asdict() if after else {}),
        }
        async with self._database.reading(organization_id) as connection:
            rows = await (await connection.execute(query, parameters)).fetchall()
            levels = await _levels(connection, organization_id)
        candidates = [_kept_score(row, with_automated=with_automated) for row in rows]
        cut = page_of(candidates, page.limit, keys=[rank_of(candidate) for candidate in candidates])
        return CandidateRanking(items=cut.items, next_cursor=cut.next_cursor, levels=levels)


async def _levels(connection: AsyncConnection[DictRow], organization_id: UUID) -> LevelCounts:
    cursor = await connection.execute(LEVELS, {"organization_id": organization_id})
    return level_counts(
        {Level(row["level"]) if row["level"] else None: row["candidates"] for row in await cursor.fetchall()}
    )


async def _measured(connection: AsyncConnection[DictRow], audience: Audience, now: datetime) -> list[CandidateRecord]:
    """Give the candidates with a tracked email in 90 days."""
    records = await _records(connection, audience, now, None)
    query = UNSUBSCRIBED.format(seen=sees_job(audience, "e", "job_id"))
    cursor = await connection.execute(query, {**audience_parameters(audience), "since": now - WINDOW})
    unsubscribed = {row["recipient_id"] for row in await cursor.fetchall()}
    return [
        msgspec.structs.replace(record, activity=msgspec.structs.replace(record.activity, unsubscribed=True))
        if record.candidate_id in unsubscribed
        else record
        for record in records
    ]


async def _unmeasured(
    connection: AsyncConnection[DictRow],
    audience: Audience,
    now: datetime,
    measured: Sequence[CandidateRecord],
    page: PageRequest,
    *,
    most: int,
) -> list[CandidateRecord]:
    """Give the next of the candidates without one, by id."""
    after = page.after(RankKey)
    parameters = {
        **audience_parameters(audience),
        "after": after.candidate_id if after and after.score == UNMEASURED_RANK else "",
        "measured": [record.candidate_id for record in measured],
        "rows": most,
    }
    cursor = await connection.execute(UNMEASURED.format(seen=sees_job(audience, "e", "job_id")), parameters)
    ids = [row["candidate_id"] for row in await cursor.fetchall()]
    found = await _records(connection, audience, now, ids)
    return sorted(found, key=lambda record: record.candidate_id)


async def _number_seen(connection: AsyncConnection[DictRow], audience: Audience) -> int:
    cursor = await connection.execute(
        SEEN.format(seen=sees_job(audience, "e", "job_id")), audience_parameters(audience)
    )
    row = await cursor.fetchone()
    return int(row["candidates"]) if row else 0


async def _records(
    connection: AsyncConnection[DictRow], audience: Audience, now: datetime, ids: Sequence[str] | None
) -> list[CandidateRecord]:
    """Give the candidates named, as far as the audience sees them; ``None``: those with a tracked email in 90 days."""
    query = RECORDS.format(
        activity=SQL(ACTIVITY),
        recent=SQL(RECENT),
        of=SINCE if ids is None else NAMED,
        seen=sees_job(audience, "e", "job_id"),
        having=MEASURED if ids is None else SQL(""),
    )
    parameters = {**audience_parameters(audience), "since": now - WINDOW, "ids": list(ids or ())}
    cursor = await connection.execute(query, parameters)
    return [
        CandidateRecord(
            candidate_id=row.pop("candidate_id"),
            name=row.pop("name"),
            automated=AutomatedActivity(**{field: row.pop(field) for field in AutomatedActivity.__struct_fields__}),
            activity=CandidateActivity(**row),
        )
        for row in await cursor.fetchall()
    ]


def _kept_score(row: dict[str, Any], *, with_automated: bool) -> CandidateScore:
    raw_opened, raw_clicked = row.pop("raw_opened"), row.pop("raw_clicked")
    if with_automated:
        row |= {"emails_opened": raw_opened, "emails_clicked": raw_clicked}
    recency, opens = row.pop("recency_points"), row.pop("open_points")
    clicks, replies = row.pop("click_points"), row.pop("reply_points")
    level = row.pop("level")
    return CandidateScore(
        level=Level(level) if level else None,
        score_parts=(
            None if recency is None else ScoreParts(recency=recency, opens=opens, clicks=clicks, replies=replies)
        ),
        open_percent=percent(row["emails_opened"], row["emails_sent"]),
        click_percent=percent(row["emails_clicked"], row["emails_sent"]),
        **row,
    )
