"""One person's notifications."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from psycopg.sql import SQL, Composed

from adapters.postgres.queries.visibility import audience_parameters, sees_job
from adapters.postgres.query_pool import ScopedDatabase
from read_models.audience import Audience
from read_models.notifications.notification import Announcement, Notification
from read_models.notifications.queries import Bell, NotificationList
from read_models.paging import PageRequest, page_of

COLUMNS: Final = SQL(
    "id, kind, email_id, candidate_id, candidate_name, subject, occurred_at, title, text, url, read_at"
)
MINE: Final = SQL(
    "organization_id = %(organization_id)s AND user_id = %(user_id)s AND held_until IS NULL"
    " AND (email_id IS NULL OR {sees_job})"
)
LIST: Final = SQL(
    "SELECT {columns} FROM notifications WHERE {mine} AND {condition} ORDER BY occurred_at DESC, id DESC LIMIT %(rows)s"
)
UNREAD: Final = SQL("SELECT count(*) AS unread FROM notifications WHERE {mine} AND read_at IS NULL")
ANNOUNCED: Final = SQL(
    "SELECT {columns}, announcement FROM notifications WHERE {mine} AND announcement > %(number)s"
    " ORDER BY announcement LIMIT %(most)s"
)
LAST_NUMBERS: Final = """
SELECT p.user_id, coalesce((SELECT max(n.announcement) FROM notifications n
    WHERE n.organization_id = %(organization_id)s AND n.user_id = p.user_id), 0) AS number
FROM unnest(%(user_ids)s::text[]) AS p (user_id)
"""
LAST_NUMBER: Final = SQL("SELECT coalesce(max(announcement), 0) AS number FROM notifications WHERE {mine}")

BELL: Final = SQL("SELECT ({unread}) AS unread, ({last_number}) AS last_number")


class NotificationKey(NamedTuple):
    """Place of a notification in the list."""

    occurred_at: datetime
    id: UUID


class PostgresNotificationQueries:
    """Implements `NotificationQueries`."""

    def __init__(self, database: ScopedDatabase) -> None:
        self._database = database

    async def list(self, audience: Audience, user_id: str, *, unread_only: bool, page: PageRequest) -> NotificationList:
        after = page.after(NotificationKey)
        conditions = [SQL("true")]
        if unread_only:
            conditions.append(SQL("read_at IS NULL"))
        if after:
            conditions.append(SQL("(occurred_at, id) < (%(occurred_at)s, %(id)s)"))
        query = LIST.format(columns=COLUMNS, mine=_mine(audience), condition=SQL(" AND ").join(conditions))
        parameters = {
            **_parameters(audience, user_id),
            "rows": page.limit + 1,
            **(after._asdict() if after else {}),
        }
        async with self._database.reading(audience.organization_id) as connection:
            cursor = await connection.execute(query, parameters)
            rows = msgspec.convert(await cursor.fetchall(), list[Notification])
            counted = await connection.execute(UNREAD.format(mine=_mine(audience)), _parameters(audience, user_id))
            unread = await counted.fetchone()
        part = page_of(rows, page.limit, keys=[NotificationKey(row.occurred_at, row.id) for row in rows])
        return NotificationList(
            items=part.items, next_cursor=part.next_cursor, unread_count=unread["unread"] if unread else 0
        )

    async def unread_count(self, audience: Audience, user_id: str) -> int:
        return await self._number(UNREAD.format(mine=_mine(audience)), audience, user_id, "unread")

    async def bell(self, audience: Audience, user_id: str) -> Bell:
        mine = _mine(audience)
        query = BELL.format(unread=UNREAD.format(mine=mine), last_number=LAST_NUMBER.format(mine=mine))
        async with self._database.reading(audience.organization_id) as connection:
            [row] = await (await connection.execute(query, _parameters(audience, user_id))).fetchall()
        return Bell(**row)

    async def announced_after(
        self, audience: Audience, user_id: str, number: int, *, most: int
    ) -> Sequence[Announcement]:
        query = ANNOUNCED.format(columns=COLUMNS, mine=_mine(audience))
        parameters = {**_parameters(audience, user_id), "number": number, "most": most}
        async with self._database.reading(audience.organization_id) as connection:
            cursor = await connection.execute(query, parameters)
            rows = await cursor.fetchall()
        return [
            Announcement(
                number=row.pop("announcement"),
                organization_id=audience.organization_id,
                user_id=user_id,
                notification=msgspec.convert(row, Notification),
            )
            for row in rows
        ]

    async def last_numbers(self, organization_id: UUID, user_ids: Collection[str]) -> Mapping[str, int]:
        parameters = {"organization_id": organization_id, "user_ids": [*user_ids]}
        async with self._database.reading(organization_id) as connection:
            cursor = await connection.execute(LAST_NUMBERS, parameters)
            return {row["user_id"]: row["number"] for row in await cursor.fetchall()}

    async def last_number(self, audience: Audience, user_id: str) -> int:
        return await self._number(LAST_NUMBER.format(mine=_mine(audience)), audience, user_id, "number")

    async def _number(self, query: Composed, audience: Audience, user_id: str, name: str) -> int:
        async with self._database.reading(audience.organization_id) as connection:
            cursor = await connection.execute(query, _parameters(audience, user_id))
            row = await cursor.fetchone()
        return int(row[name]) if row else 0


def _mine(audience: Audience) -> Composed:
    return MINE.format(sees_job=sees_job(audience, "job_id"))


def _parameters(audience: Audience, user_id: str) -> dict[str, object]:
    return {**audience_parameters(audience), "user_id": user_id}
