"""Organisations and the hashes of their tokens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

import msgspec
import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow

from adapters.postgres.query_pool import QueryPool
from application.access import AccessToken, Organization, TokenKind
from application.ports.endpoints import UnknownOrganizationError
from application.ports.unit_of_work import StoreUnavailableError

INSERT_ROW = (
    "INSERT INTO ops.access_tokens (id, organization_id, kind, token_hash, role, user_id, name, created_at, expires_at)"
    " VALUES (%(id)s, %(organization_id)s, %(kind)s, %(token_hash)s, %(role)s, %(user_id)s, %(name)s, %(created_at)s,"
    " %(expires_at)s)"
)


class PostgresAccessTokens:
    """Implements `AccessTokens`; finding goes by the hash, so no comparison's duration tells anything of a token."""

    def __init__(self, pool: QueryPool) -> None:
        self._pool = pool

    async def find(self, token_hash: bytes, now: datetime) -> AccessToken | None:
        async with self._transaction() as connection:
            cursor = await connection.execute(
                "SELECT id, organization_id, kind, role, user_id, name, created_at, expires_at, revoked_at"
                " FROM ops.access_tokens WHERE token_hash = %s AND revoked_at IS NULL"
                " AND (expires_at IS NULL OR expires_at > %s)",
                (token_hash, now),
            )
            row = await cursor.fetchone()
        return None if row is None else msgspec.convert(row, AccessToken)

    async def add_organization(self, organization: Organization, key: AccessToken, key_hash: bytes) -> None:
        async with self._transaction() as connection:
            await connection.execute(
                "INSERT INTO ops.organizations (id, name, created_at) VALUES (%s, %s, %s)",
                (organization.id, organization.name, organization.created_at),
            )
            await connection.execute(INSERT_ROW, {**msgspec.structs.asdict(key), "token_hash": key_hash})

    async def add(self, token: AccessToken, token_hash: bytes) -> None:
        try:
            async with self._transaction() as connection:
                await connection.execute(INSERT_ROW, {**msgspec.structs.asdict(token), "token_hash": token_hash})
        except psycopg.errors.ForeignKeyViolation as error:
            raise UnknownOrganizationError(token.organization_id) from error

    async def api_keys(self, organization_id: UUID) -> list[AccessToken]:
        async with self._transaction() as connection:
            cursor = await connection.execute(
                "SELECT id, organization_id, kind, role, user_id, name, created_at, expires_at, revoked_at"
                " FROM ops.access_tokens WHERE organization_id = %s AND kind = 'api_key' ORDER BY created_at DESC, id",
                (organization_id,),
            )
            return msgspec.convert(await cursor.fetchall(), list[AccessToken])

    async def revoke(self, organization_id: UUID, kind: TokenKind, token_id: UUID, at: datetime) -> bool:
        async with self._transaction() as connection:
            cursor = await connection.execute(
                "UPDATE ops.access_tokens SET revoked_at = coalesce(revoked_at, %s)"
                " WHERE organization_id = %s AND kind = %s AND id = %s",
                (at, organization_id, kind, token_id),
            )
            return cursor.rowcount == 1

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[AsyncConnection[DictRow]]:
        try:
            async with self._pool.connection() as connection:
                yield connection
        except psycopg.OperationalError as error:
            raise StoreUnavailableError(type(error).__name__) from error
