"""Connections for questions: few, short-lived transactions, given up quickly when the database is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import AsyncConnectionPool

from adapters.postgres.silence import severed_at, silence_limits
from application.ports.unit_of_work import StoreUnavailableError
from read_models.errors import AnswersUnavailableError

WAIT_S = 1.5
QUESTION_S = 17.0
"""Longest use of a connection: a little more than the server itself allows a statement, for when it says nothing."""
RECONNECT_S = 1.0  # the pool's own default doubles its pauses up to five minutes: too late after a long outage
ROOM_TO_COUNT = "SET LOCAL work_mem = '64MB'"
"""For questions that count a whole organisation's emails at once: without it the counts go over the disk."""
ENTER_SCOPE = (
    "SELECT set_config('transaction_read_only', 'on', true), set_config('role', 'mailpulse_query', true),"
    " set_config('mailpulse.organization_id', %s, true)"
)


class QueryPool(AsyncConnectionPool[AsyncConnection[DictRow]]):
    """A pool whose callers never wait beyond a deadline, also when the server keeps its connections and says nothing.

    Source:
        TRUST.md: without PostgreSQL 503 within 2 s.
    """

    async def getconn(self, timeout: float | None = None) -> AsyncConnection[DictRow]:  # noqa: ASYNC109 - as psycopg_pool has it
        """Give a connection that has just answered.

        Raises:
            PoolTimeout: None did within `timeout` seconds, by default `WAIT_S`.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (self.timeout if timeout is None else timeout)
        while True:
            connection = await super().getconn(deadline - loop.time())
            try:
                with severed_at(connection, deadline):
                    await self.check_connection(connection)
            except psycopg.Error:
                await self.putconn(connection)  # it is replaced
            except BaseException:
                await self.putconn(connection)
                raise
            else:
                return connection

    @asynccontextmanager
    async def connection(
        self,
        timeout: float | None = None,  # noqa: ASYNC109 - as psycopg_pool has it
        *,
        most_s: float | None = None,
    ) -> AsyncIterator[AsyncConnection[DictRow]]:
        """Give a connection in a transaction that ends with the context.

        Args:
            timeout: As `getconn` takes it.
            most_s: Seconds from now until the connection is severed, whatever it is used for then; by default
                `QUESTION_S`.

        Raises:
            psycopg.OperationalError: On entering or inside: the database is away, silent or too slow.
        """
        deadline = asyncio.get_running_loop().time() + (QUESTION_S if most_s is None else most_s)
        connection = await self.getconn(timeout)
        try:
            with severed_at(connection, deadline):
                async with connection:
                    yield connection
        finally:
            await self.putconn(connection)

    @asynccontextmanager
    async def storing(self) -> AsyncIterator[AsyncConnection[DictRow]]:
        """Give a connection for what the use cases keep, in a transaction that ends with the context.

        Raises:
            StoreUnavailableError: On entering or inside: the database is away, silent or too slow.
        """
        try:
            async with self.connection() as connection:
                yield connection
        except psycopg.OperationalError as error:
            raise StoreUnavailableError(type(error).__name__) from error


def query_pool(database_url: str, *, size: int = 8) -> QueryPool:
    """Give a pool that is not open yet; ``open(wait=False)`` it where the event loop runs.

    Args:
        database_url: As libpq takes it.
        size: Most connections at a time.
    """
    return QueryPool(
        database_url,
        connection_class=AsyncConnection[DictRow],
        min_size=1,
        max_size=size,
        open=False,
        timeout=WAIT_S,
        reconnect_timeout=RECONNECT_S,
        configure=_configure,
        name="queries",
        kwargs={
            "row_factory": dict_row,
            "connect_timeout": 2,
            "application_name": "mailpulse query",
            **silence_limits(database_url),
        },
    )


async def _configure(connection: AsyncConnection[Any]) -> None:
    # Planned for the organisation that asks: what suits the average one takes the largest twice as long.
    with severed_at(connection, asyncio.get_running_loop().time() + WAIT_S):
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
    """Asks PostgreSQL for a sign of life, and waits `WAIT_S` for it."""

    name = "postgresql"

    def __init__(self, pool: QueryPool) -> None:
        self._pool = pool

    async def check(self) -> None:
        try:
            async with self._pool.connection(most_s=WAIT_S) as connection:
                await connection.execute("SELECT 1 FROM ops.read_models LIMIT 1")
        except psycopg.Error as error:
            raise AnswersUnavailableError(type(error).__name__) from error
