"""Waits for new events: LISTEN on the recorder's channel, on a connection of its own."""

import logging
import time
from typing import Any

import psycopg

from adapters.postgres.silence import silence_limits

logger = logging.getLogger(__name__)

RECONNECT_S = 1.0


class PostgresWakeUp:
    """Tells a projector that there is something to read.

    Args:
        database_url: A direct one: a pooler in transaction mode does not pass notifications on.
        channel: Of the event recorder.
    """

    def __init__(self, database_url: str, channel: str) -> None:
        self._database_url = database_url
        self._channel = channel
        self._connection: psycopg.Connection[Any] | None = None

    def wait(self, timeout_s: float) -> bool:
        """Return when something was appended, or after `timeout_s`; while the database is away, only then.

        Returns:
            Whether something was appended.
        """
        try:
            if self._connection is None or self._connection.closed:
                self._connection = psycopg.connect(
                    self._database_url, autocommit=True, connect_timeout=2, **silence_limits(self._database_url)
                )
                self._connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(self._channel)))
                return True
            woken = any(True for _ in self._connection.notifies(timeout=timeout_s, stop_after=1))
            for _ in self._connection.notifies(timeout=0):
                pass  # one look at the events answers all of them
            return woken
        except psycopg.OperationalError as error:
            logger.warning(
                "Cannot listen for new events", extra={"event": "listen_failed", "error": type(error).__name__}
            )
            self.close()
            time.sleep(min(RECONNECT_S, timeout_s))
            return False

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
