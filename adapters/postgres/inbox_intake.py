"""The inbox's door in PostgreSQL: requests that arrive together share one INSERT and its commit."""

import asyncio
import logging
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import msgspec
import psycopg

from adapters.postgres.edge_connection import DatabaseAwayError, EdgeConnection
from adapters.secrets import SecretBox
from application.ports.inbox_intake import DeliveryNotKeptError, InboxOverloadedError, ProvenDelivery

logger = logging.getLogger(__name__)

TIMEOUT_S: Final = 1.5
MOST_ROWS: Final = 500
MOST_BATCH_BYTES: Final = 4 * 1024 * 1024
MOST_WAITING_BYTES: Final = 64 * 1024 * 1024

# Binary parameters: as text, arrays of bytea cost three times as much on both sides.
_INSERT: Final = (
    "INSERT INTO ops.webhook_inbox"
    " (endpoint_id, organization_id, provider, correlation_id, received_at, headers, body, sealed)"
    " SELECT *, true"
    " FROM unnest(%b::uuid[], %b::uuid[], %b::text[], %b::text[], %b::timestamptz[], %b::bytea[], %b::bytea[])"
)
_INSERT_ONE: Final = (
    "INSERT INTO ops.webhook_inbox"
    " (endpoint_id, organization_id, provider, correlation_id, received_at, headers, body, sealed)"
    " VALUES (%b, %b, %b, %b, %b, %b, %b, true)"
)
"""Large posts come one at a time; psycopg makes seven arrays of one element each in Python."""
_encode_headers = msgspec.msgpack.Encoder().encode


class _Waiter(NamedTuple):
    row: tuple[Any, ...]
    size: int
    kept: asyncio.Future[None]


class PostgresInboxIntake:
    """Keeps deliveries in ``ops.webhook_inbox``.

    An idle connection takes what is there at once; what arrives while all are busy is the next batch.

    Args:
        database_url: As libpq takes it.
        bodies: Seals what providers sent; see `adapters.postgres.unit_of_work.BODIES_PURPOSE`.
        connections: Batches that may be in flight at the same time.
        timeout_s: Longest wait for a commit.
        most_waiting_bytes: Bodies in memory beyond which deliveries are turned away; one is always let in.
    """

    def __init__(
        self,
        database_url: str,
        bodies: SecretBox,
        *,
        connections: int = 1,
        timeout_s: float = TIMEOUT_S,
        most_waiting_bytes: int = MOST_WAITING_BYTES,
    ) -> None:
        self._idle = [EdgeConnection(database_url, timeout_s=timeout_s) for _ in range(connections)]
        self._seal = bodies.seal
        self._most_waiting_bytes = most_waiting_bytes
        self._waiting: deque[_Waiter] = deque()
        self._bytes = 0
        self._writers: set[asyncio.Task[None]] = set()
        self._refused_last = False

    async def keep(self, delivery: ProvenDelivery) -> None:
        size = len(delivery.body)
        if self._bytes and self._bytes + size > self._most_waiting_bytes:
            raise InboxOverloadedError("more deliveries are waiting for the database than memory is set aside for")
        waiter = _Waiter(self._row(delivery), size, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        self._bytes += size
        if self._idle:
            writer = asyncio.create_task(self._write(self._idle.pop()))
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        await waiter.kept

    def _row(self, delivery: ProvenDelivery) -> tuple[Any, ...]:
        return (
            delivery.endpoint_id,
            delivery.organization_id,
            delivery.provider,
            delivery.correlation_id,
            delivery.received_at,
            _encode_headers(delivery.headers),
            self._seal(delivery.body),
        )

    async def close(self) -> None:
        """Let what is waiting be kept or fail, then close the connections."""
        while self._writers:
            await asyncio.wait(self._writers)
        for connection in self._idle:
            await connection.close()

    async def _write(self, connection: EdgeConnection) -> None:
        try:
            while self._waiting:
                await self._write_batch(connection, self._next_batch())
        finally:
            self._idle.append(connection)

    def _next_batch(self) -> list[_Waiter]:
        batch = [self._waiting.popleft()]
        size = batch[0].size
        while self._waiting and len(batch) < MOST_ROWS and size + self._waiting[0].size <= MOST_BATCH_BYTES:
            size += self._waiting[0].size
            batch.append(self._waiting.popleft())
        return batch

    async def _write_batch(self, connection: EdgeConnection, batch: Sequence[_Waiter]) -> None:
        refusal: DeliveryNotKeptError | None = DeliveryNotKeptError("this process is being stopped")
        try:
            if len(batch) == 1:
                await connection.execute(_INSERT_ONE, batch[0].row)
            else:
                columns = [list(column) for column in zip(*(w.row for w in batch), strict=True)]
                await connection.execute(_INSERT, columns)
            refusal = None
            self._refused_last = False
        except DatabaseAwayError as error:
            refusal = DeliveryNotKeptError(str(error))
            # Those that queued up behind a silent database have waited as long, and would wait as long again.
            batch = [*batch, *self._waiting]
            self._waiting.clear()
        except psycopg.Error as error:
            if not self._refused_last:  # a full disk refuses thousands: one line until it takes some again
                logger.exception("The inbox refuses deliveries", extra={"event": "inbox_refuses"})
            self._refused_last = True
            refusal = DeliveryNotKeptError(f"the database refused: {type(error).__name__}")
        finally:
            for waiter in batch:
                self._bytes -= waiter.size
                if waiter.kept.done():  # its client went away
                    continue
                if refusal is None:
                    waiter.kept.set_result(None)
                else:
                    waiter.kept.set_exception(refusal)
