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
from adapters.postgres.queries.candidate_grounds import grounds_of
from adapters.postgres.queries.managers_ranking import measured_alike, number_seen, unmeasured_ids
from adapters.postgres.queries.visibility import audience_parameters, sees_job
from adapters.postgres.query_pool import ScopedDatabase
from domain.policies.scoring import WINDOW, CandidateActivity, Level, ScoreParts, score_candidate
from read_models.audience import Audience
from read_models.automated import AutomatedActivity
from read_models.candidates.queries import (
    Activity,
    CandidateRanking,
    CandidateRecord,
    CandidateScore,
    Grounds,
    LevelCounts,
    scored,
)
from read_models.candidates.ranking import (
    UNMEASURED_RANK,
    Ranked,
    RankKey,
    level_counts,
    part_of,
    rank_of,
    ranked,
    ranking_of,
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
    "SELECT e.recipient_id AS candidate_id, {activity},"
    " (array_agg(e.recipient_email ORDER BY e.sent_at DESC, e.id DESC))[1] AS address FROM email_logs e {recent}"
    " WHERE e.organization_id = %(organization_id)s AND e.recipient_type = 'Candidate'"
    " AND e.recipient_id = ANY(%(ids)s) AND {seen} GROUP BY e.recipient_id"
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
        after = page.after(RankKey)
        async with self._database.reading(audience.organization_id) as connection:
            measured = ranked(await measured_alike(connection, audience, now, after=after, most=page.limit + 1), now)
            ids = part_of(measured, level, page)
            if level is None and len(ids) <= page.limit:
                last = after.candidate_id if after and after.score == UNMEASURED_RANK else ""
                ids += await unmeasured_ids(connection, audience, now, after=last, most=page.limit + 1 - len(ids))
            records = {record.candidate_id: record for record in await _records(connection, audience, now, ids)}
            everybody = await number_seen(connection, audience)
        part = [
            scored(records[id_], score_candidate(records[id_].activity, now), with_automated=with_automated)
            for id_ in ids
        ]
        return ranking_of(part, page, level_counts(_badges(measured, everybody)))

    async def grounds(self, audience: Audience, candidate_ids: Sequence[str], now: datetime) -> dict[str, Grounds]:
        if not candidate_ids:
            return {}
        async with self._database.reading(audience.organization_id) as connection:
            return await grounds_of(connection, audience, candidate_ids, now)

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


def _badges(measured: Sequence[Ranked], everybody: int) -> Counter[Level | None]:
    badges: Counter[Level | None] = Counter()
    for _, level, alike in measured:
        badges[level] += alike.candidates
    badges[None] = everybody - badges.total()
    return badges


async def _records(
    connection: AsyncConnection[DictRow], audience: Audience, now: datetime, ids: Sequence[str]
) -> list[CandidateRecord]:
    """Give the candidates named, as far as the audience sees them."""
    query = RECORDS.format(activity=SQL(ACTIVITY), recent=SQL(RECENT), seen=sees_job(audience, "e", "job_id"))
    parameters = {**audience_parameters(audience), "since": now - WINDOW, "ids": list(ids)}
    cursor = await connection.execute(query, parameters)
    return [
        CandidateRecord(
            candidate_id=row.pop("candidate_id"),
            name=row.pop("name"),
            address=row.pop("address"),
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
