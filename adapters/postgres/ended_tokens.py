"""Deletes tokens of people that ended."""

from datetime import datetime
from typing import Any, Final

from psycopg_pool import ConnectionPool

from adapters.postgres.outages import named_database_errors

# A user token takes its links and sessions along: these ended with it at the latest. Of two ends, least() ignores NULL.
_FORGET: Final = """
DELETE FROM ops.access_tokens WHERE id IN (
    SELECT id FROM ops.access_tokens
    WHERE kind IN ('user_token', 'sign_in_link', 'session') AND least(expires_at, revoked_at) < %s
    LIMIT %s FOR UPDATE SKIP LOCKED)
"""


class PostgresEndedTokens:
    """Implements `EndedTokens`.

    Args:
        pool: Of connections to the migrated database.
    """

    def __init__(self, pool: ConnectionPool[Any]) -> None:
        self._pool = pool

    def forget_before(self, instant: datetime, *, most: int) -> int:
        with named_database_errors(), self._pool.connection() as connection:
            return int(connection.execute(_FORGET, (instant, most)).rowcount)
