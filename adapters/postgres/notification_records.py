"""What people say about their notifications, in PostgreSQL."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from psycopg.types.json import Jsonb

from adapters.postgres.query_pool import QueryPool
from domain.notification_preferences import NotificationPreferences

_MARK_READ: Final = """
UPDATE notifications SET read_at = coalesce(read_at, %s)
WHERE organization_id = %s AND user_id = %s AND id = %s AND held_until IS NULL
"""
_MARK_ALL_READ: Final = """
UPDATE notifications SET read_at = %s
WHERE organization_id = %s AND user_id = %s AND read_at IS NULL AND held_until IS NULL
"""
_PREFERENCES: Final = """
SELECT preferences FROM ops.notification_preferences WHERE organization_id = %s AND user_id = %s
"""
_KEEP: Final = """
INSERT INTO ops.notification_preferences (organization_id, user_id, preferences, changed_at, next_digest_at)
VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (organization_id, user_id) DO UPDATE SET preferences = excluded.preferences,
    changed_at = excluded.changed_at, next_digest_at = excluded.next_digest_at
"""


class PostgresNotificationRecords:
    """Implements `NotificationRecords`."""

    def __init__(self, pool: QueryPool) -> None:
        self._pool = pool

    async def mark_read(self, organization_id: UUID, user_id: str, notification_id: UUID, at: datetime) -> bool:
        async with self._pool.storing() as connection:
            cursor = await connection.execute(_MARK_READ, (at, organization_id, user_id, notification_id))
            return cursor.rowcount > 0

    async def mark_all_read(self, organization_id: UUID, user_id: str, at: datetime) -> None:
        async with self._pool.storing() as connection:
            await connection.execute(_MARK_ALL_READ, (at, organization_id, user_id))

    async def preferences(self, organization_id: UUID, user_id: str) -> NotificationPreferences | None:
        async with self._pool.storing() as connection:
            cursor = await connection.execute(_PREFERENCES, (organization_id, user_id))
            row = await cursor.fetchone()
        return None if row is None else msgspec.convert(row["preferences"], NotificationPreferences)

    async def keep_preferences(
        self,
        organization_id: UUID,
        user_id: str,
        preferences: NotificationPreferences,
        *,
        at: datetime,
        next_digest_at: datetime | None,
    ) -> None:
        kept = Jsonb(msgspec.to_builtins(preferences))
        async with self._pool.storing() as connection:
            await connection.execute(_KEEP, (organization_id, user_id, kept, at, next_digest_at))
