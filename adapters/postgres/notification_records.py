"""What people say about their notifications, in PostgreSQL."""

from collections.abc import Callable
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
from psycopg.rows import DictRow
from psycopg.types.json import Jsonb

from adapters.postgres.query_pool import QueryPool
from domain.notification_preferences import DEFAULT_PREFERENCES, NotificationPreferences

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
# It changes nothing of a row that is there, but locks it: whoever changes the same preferences waits, first ones too.
_LOCK: Final = """
INSERT INTO ops.notification_preferences AS kept (organization_id, user_id, preferences, changed_at)
VALUES (%s, %s, %s, %s)
ON CONFLICT (organization_id, user_id) DO UPDATE SET preferences = kept.preferences
RETURNING preferences
"""
_KEEP: Final = """
UPDATE ops.notification_preferences SET preferences = %s, changed_at = %s, next_digest_at = %s
WHERE organization_id = %s AND user_id = %s
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
        return None if row is None else _preferences_in(row)

    async def change_preferences(
        self,
        organization_id: UUID,
        user_id: str,
        change: Callable[[NotificationPreferences], NotificationPreferences],
        at: datetime,
    ) -> NotificationPreferences:
        usual = Jsonb(msgspec.to_builtins(DEFAULT_PREFERENCES))
        async with self._pool.storing() as connection:
            cursor = await connection.execute(_LOCK, (organization_id, user_id, usual, at))
            row = await cursor.fetchone()
            changed = change(DEFAULT_PREFERENCES if row is None else _preferences_in(row))
            kept = Jsonb(msgspec.to_builtins(changed))
            await connection.execute(_KEEP, (kept, at, changed.next_digest_at(at), organization_id, user_id))
        return changed


def _preferences_in(row: DictRow) -> NotificationPreferences:
    return msgspec.convert(row["preferences"], NotificationPreferences)
