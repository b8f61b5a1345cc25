"""A connection for the edge: never waited for beyond a deadline, and back by itself when the database is."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final, LiteralString

import psycopg
from psycopg.rows import TupleRow, tuple_row

from adapters.postgres.silence import severed_at

logger = logging.getLogger(__name__)

_PAUSE_AFTER_FAILURE_S: Final = 0.25
"""For so long after a failed connect nobody tries again, so that an outage costs a request next to nothing."""

_SERVER_LEAVES: Final = "57P"
"""SQL states of a server that is going down or coming up."""
_SHARE_OF_SERVER: Final = 0.8
"""Part of the time after which the server gives up by itself, so that a lock held too long costs no connection."""
_SET_TIMEOUTS: Final = "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false)"


class DatabaseAwayError(Exception):
    """The database did not answer in time, or not at all; the statement may or may not have taken effect."""


class EdgeConnection:
    """One autocommit connection, for one caller at a time; connects when first used.

    A pool would wait longer and longer between attempts after an outage; this tries with the next statement.

    Args:
        database_url: As libpq takes it.
        timeout_s: Longest wait for a statement, connecting included.
    """

    def __init__(self, database_url: str, *, timeout_s: float) -> None:
        self._database_url = database_url
        self._timeout_s = timeout_s
        self._connection: psycopg.AsyncConnection[TupleRow] | None = None
        self._not_before = 0.0
        self._is_away = False

    async def execute(self, query: LiteralString, parameters: Sequence[Any]) -> list[TupleRow]:
        """Run one statement as a transaction of its own and give its rows.

        A connection that broke since it was last used is replaced, and the statement run again: it has to be one
        that may happen twice.

        Raises:
            DatabaseAwayError: No answer within the time.
            psycopg.Error: The database answered, and said no.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._timeout_s
        was_open = self._connection is not None
        try:
            try:
                rows = await self._attempt(query, parameters, deadline)
            except psycopg.OperationalError:
                if not was_open or self._connection is not None or loop.time() >= deadline:
                    raise
                rows = await self._attempt(query, parameters, deadline)
        except (psycopg.OperationalError, OSError, TimeoutError) as error:
            if self._connection is not None:
                raise  # the database itself said no: a full disk, a lock held too long
            self._note_away(error)
            raise DatabaseAwayError(f"the database did not answer: {type(error).__name__}") from error
        if self._is_away:
            self._is_away = False
            logger.info("The database is back", extra={"event": "database_back"})
        return rows

    async def close(self) -> None:
        """Close the connection; a later statement opens it again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _attempt(self, query: LiteralString, parameters: Sequence[Any], deadline: float) -> list[TupleRow]:
        connection = self._connection or await self._connect(deadline)
        try:
            return await _execute(connection, query, parameters, deadline)
        except psycopg.OperationalError as error:
            if connection.closed or (error.sqlstate or "").startswith(_SERVER_LEAVES):
                await self.close()
            raise

    async def _connect(self, deadline: float) -> psycopg.AsyncConnection[TupleRow]:
        loop = asyncio.get_running_loop()
        if loop.time() < self._not_before:
            raise TimeoutError("the last attempt to connect failed a moment ago")
        try:
            async with asyncio.timeout_at(deadline):
                connection = await psycopg.AsyncConnection.connect(
                    self._database_url, autocommit=True, row_factory=tuple_row, application_name="mailpulse-web"
                )
            self._connection = connection
            # A statement that nobody waits for any more must not hold a backend or a lock.
            timeout = f"{round(self._timeout_s * _SHARE_OF_SERVER * 1000)}ms"
            await _execute(connection, _SET_TIMEOUTS, (timeout, timeout), deadline)
        except (psycopg.OperationalError, OSError, TimeoutError):
            await self.close()
            self._not_before = loop.time() + _PAUSE_AFTER_FAILURE_S
            raise
        return connection

    def _note_away(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            logger.error("The database is away", extra={"event": "database_away", "error": type(error).__name__})


async def _execute(
    connection: psycopg.AsyncConnection[TupleRow], query: LiteralString, parameters: Sequence[Any], deadline: float
) -> list[TupleRow]:
    with severed_at(connection, deadline):
        cursor = await connection.execute(query, parameters)
        return await cursor.fetchall() if cursor.description else []
