"""Webhook endpoints in PostgreSQL, their verification keys sealed."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
from psycopg.rows import TupleRow, tuple_row
from psycopg_pool import ConnectionPool

from adapters.postgres.edge_connection import DatabaseAwayError, EdgeConnection
from adapters.postgres.outages import named_database_errors
from adapters.secrets import SealBrokenError, SecretBox
from application.ports.endpoints import Endpoint, EndpointsUnavailableError, UnknownOrganizationError

logger = logging.getLogger(__name__)

SEAL_PURPOSE: Final = "webhook-endpoint-keys"
LOOKUP_TIMEOUT_S: Final = 0.8
_COLUMNS: Final = (
    "id, organization_id, provider, keys, allowed_networks, requests_per_minute, tolerance_s, created_at, disabled_at"
)
_FIND: Final = f"SELECT {_COLUMNS} FROM ops.webhook_endpoints WHERE id = ANY(%s) AND disabled_at IS NULL"  # noqa: S608 - a constant of this module

_encode_keys = msgspec.msgpack.Encoder().encode
_decode_keys = msgspec.msgpack.Decoder(tuple[str, ...]).decode


class PostgresEndpointRecords:
    """See `application.ports.endpoints.EndpointRecords`.

    Args:
        pool: Of connections to the migrated database.
        box: For `SEAL_PURPOSE`.
    """

    def __init__(self, pool: ConnectionPool[Any], box: SecretBox) -> None:
        self._pool = pool
        self._box = box

    def add(self, endpoint: Endpoint) -> None:
        try:
            with named_database_errors(), self._pool.connection() as connection:
                connection.execute(
                    f"INSERT INTO ops.webhook_endpoints ({_COLUMNS})"  # noqa: S608 - a constant of this module
                    " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
                    (
                        endpoint.id,
                        endpoint.organization_id,
                        endpoint.provider,
                        self._sealed(endpoint),
                        list(endpoint.allowed_networks),
                        endpoint.requests_per_minute,
                        endpoint.tolerance_s,
                        endpoint.created_at,
                        endpoint.disabled_at,
                    ),
                )
        except psycopg.errors.ForeignKeyViolation as error:
            raise UnknownOrganizationError(endpoint.organization_id) from error

    def change(
        self, organization_id: UUID, endpoint_id: UUID, change: Callable[[Endpoint], Endpoint]
    ) -> Endpoint | None:
        with (
            named_database_errors(),
            self._pool.connection() as connection,
            connection.cursor(row_factory=tuple_row) as cursor,
        ):
            row = cursor.execute(
                f"SELECT {_COLUMNS} FROM ops.webhook_endpoints WHERE organization_id = %s AND id = %s FOR UPDATE",  # noqa: S608 - a constant of this module
                (organization_id, endpoint_id),
            ).fetchone()
            if row is None:
                return None
            changed = change(_endpoint(row, self._box))
            cursor.execute(
                "UPDATE ops.webhook_endpoints SET keys = %s, disabled_at = %s WHERE id = %s",
                (self._sealed(changed), changed.disabled_at, endpoint_id),
            )
            return changed

    def of_organization(self, organization_id: UUID) -> list[Endpoint]:
        with (
            named_database_errors(),
            self._pool.connection() as connection,
            connection.cursor(row_factory=tuple_row) as cursor,
        ):
            cursor.execute(
                f"SELECT {_COLUMNS} FROM ops.webhook_endpoints WHERE organization_id = %s ORDER BY created_at, id",  # noqa: S608 - a constant of this module
                (organization_id,),
            )
            return [_endpoint(row, self._box) for row in cursor]

    def _sealed(self, endpoint: Endpoint) -> bytes:
        return self._box.seal(_encode_keys(endpoint.keys))


class PostgresEndpointDirectory:
    """Finds endpoints for the edge; all that are asked for while a query is under way share the next one.

    Args:
        database_url: As libpq takes it.
        box: For `SEAL_PURPOSE`.
        timeout_s: Longest wait for the database.
    """

    def __init__(self, database_url: str, box: SecretBox, *, timeout_s: float = LOOKUP_TIMEOUT_S) -> None:
        self._connection = EdgeConnection(database_url, timeout_s=timeout_s)
        self._box = box
        self._wanted: dict[UUID, asyncio.Future[Endpoint | None]] = {}
        self._reader: asyncio.Task[None] | None = None

    async def find(self, endpoint_id: UUID) -> Endpoint | None:
        wanted = self._wanted.get(endpoint_id)
        if wanted is None:
            wanted = self._wanted[endpoint_id] = asyncio.get_running_loop().create_future()
        if self._reader is None:
            self._reader = asyncio.create_task(self._read())
        return await asyncio.shield(wanted)

    async def close(self) -> None:
        """Wait for the query that is under way, then close the connection."""
        if self._reader is not None:
            await asyncio.wait([self._reader])
        await self._connection.close()

    async def _read(self) -> None:
        try:
            while self._wanted:
                wanted, self._wanted = self._wanted, {}
                await self._answer(wanted)
        finally:
            self._reader = None

    async def _answer(self, wanted: dict[UUID, asyncio.Future[Endpoint | None]]) -> None:
        rows: dict[UUID, TupleRow] = {}
        failure: EndpointsUnavailableError | None = EndpointsUnavailableError("this process is being stopped")
        try:
            rows = {row[0]: row for row in await self._connection.execute(_FIND, (list(wanted),))}
            failure = None
        except DatabaseAwayError as error:
            failure = EndpointsUnavailableError(str(error))
            # Those that queued up behind a silent database would wait as long again.
            wanted = {**wanted, **self._wanted}
            self._wanted.clear()
        except psycopg.Error as error:
            logger.exception("Endpoints cannot be read", extra={"event": "endpoints_unreadable"})
            failure = EndpointsUnavailableError(f"the database refused: {type(error).__name__}")
        finally:
            for endpoint_id, future in wanted.items():
                self._resolve(future, rows.get(endpoint_id), failure)

    def _resolve(
        self, future: asyncio.Future[Endpoint | None], row: TupleRow | None, failure: EndpointsUnavailableError | None
    ) -> None:
        if future.cancelled():
            return
        if failure is not None:
            future.set_exception(failure)
            future.exception()  # whoever asked may have gone: not an error that nobody saw
            return
        try:
            future.set_result(None if row is None else _endpoint(row, self._box))
        except SealBrokenError as error:
            logger.exception("An endpoint's keys cannot be opened", extra={"event": "seal_broken"})
            future.set_exception(EndpointsUnavailableError(str(error)))


def _endpoint(row: TupleRow, box: SecretBox) -> Endpoint:
    id_, organization_id, provider, keys, networks, requests_per_minute, tolerance_s, created_at, disabled_at = row
    return Endpoint(
        id=id_,
        organization_id=organization_id,
        provider=provider,
        keys=_decode_keys(box.open(keys)),
        allowed_networks=tuple(networks),
        requests_per_minute=requests_per_minute,
        tolerance_s=tolerance_s,
        created_at=created_at,
        disabled_at=disabled_at,
    )
