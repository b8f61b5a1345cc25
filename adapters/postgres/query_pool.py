"""Connections for questions: few, short-lived transactions, given up quickly when the database is away."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from read_models.errors import AnswersUnavailableError

QueryPool: TypeAlias = AsyncConnectionPool[AsyncConnection[DictRow]]

WAIT_S = 1.5
RECONNECT_S = 1.0  # the pool's own default doubles its pauses up to five minutes: too late after a long outage
ROOM_TO_COUNT = "SET LOCAL work_mem = '64MB'"
"""For questions that count a whole organisation's emails at once: without it the counts go over the disk."""
ENTER_SCOPE = (
    "SELECT set_config('transaction_read_only', 'on', true), set_config('role', 'mailpulse_query', true),"
    " set_config('mailpulse.organization_id', %s, true)"
)


def query_pool(database_url: str, *, size: int = 8) -> QueryPool:
    """Give a pool that is not open yet; ``open(wait=False)`` it where the event loop runs.

    Args:
        database_url: As libpq takes it.
        size: Most connections at a time.
    """
    return AsyncConnectionPool(
        database_url,
        connection_class=AsyncConnection[DictRow],
        min_size=1,
        max_size=size,
        open=False,
        timeout=WAIT_S,
        reconnect_timeout=RECONNECT_S,
        configure=_configure,
        check=AsyncConnectionPool.check_connection,
        name="queries",
        kwargs={"row_factory": dict_row, "connect_timeout": 2, "application_name": "mailpulse query"},
    )


async def _configure(connection: AsyncConnection[Any]) -> None:
    # Planned for the organisation that asks: what suits the average one takes the largest twice as long.
    await connection.execute(
        "SELECT set_config('plan_cache_mode', 'force_custom_plan', false), set_config('timezone', 'UTC', false),"
        " set_config('statement_timeout', '15s', false),"
        " set_config('lock_timeout', '2s', false), set_config('idle_in_transaction_session_timeout', '30s', false)"
    )
    await connection.commit()


class ScopedDatabase:
    """Lets questions see one organisation's rows only, whatever their WHERE says.

    Args:
        pool: Open, or opened soon.

    Source:
        TRUST.md: organisations are walls; row-level security stands behind the queries.
    """

    def __init__(self, pool: QueryPool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def reading(self, organization_id: UUID) -> AsyncIterator[AsyncConnection[DictRow]]:
        """Give a connection inside a read-only transaction of one organisation.

        Raises:
            AnswersUnavailableError: On entering or inside: the database is away or too slow, or its tables are of
                another version than the question.
        """
        try:
            async with self._pool.connection() as connection:
                await connection.execute(ENTER_SCOPE, (str(organization_id),))
                yield connection
        except (psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable) as error:
            raise AnswersUnavailableError(
                f"{error.diag.message_primary}; `mailpulse doctor` says what to do"
            ) from error
        except psycopg.OperationalError as error:
            raise AnswersUnavailableError(type(error).__name__) from error


class PostgresCheck:
    """Asks PostgreSQL for a sign of life."""

    name = "postgresql"

    def __init__(self, pool: QueryPool) -> None:
        self._pool = pool

    async def check(self) -> None:
        try:
            async with self._pool.connection() as connection:
                await connection.execute("SELECT 1 FROM ops.read_models LIMIT 1")
        except psycopg.Error as error:
            raise AnswersUnavailableError(type(error).__name__) from error
