"""Organisations and the hashes of their tokens."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import msgspec
import psycopg

from adapters.postgres.query_pool import QueryPool
from application.ports.access_tokens import AccessToken, Organization, TokenKind
from application.ports.endpoints import UnknownOrganizationError

ORGANIZATIONS = "SELECT id, name, created_at FROM ops.organizations ORDER BY created_at, id"
INSERT_ROW = (
    "INSERT INTO ops.access_tokens (id, organization_id, kind, token_hash, role, user_id, name, created_at, expires_at,"
    " parent_id) VALUES (%(id)s, %(organization_id)s, %(kind)s, %(token_hash)s, %(role)s, %(user_id)s, %(name)s,"
    " %(created_at)s, %(expires_at)s, %(parent_id)s)"
)
COLUMNS = "id, organization_id, kind, role, user_id, name, created_at, expires_at, revoked_at, parent_id"
FIND = f"""
SELECT {COLUMNS} FROM ops.access_tokens WHERE token_hash = %s AND revoked_at IS NULL
    AND (expires_at IS NULL OR expires_at > %s)
"""  # noqa: S608 - a constant of this module
STILL_OPEN = """
SELECT id FROM ops.access_tokens WHERE id = ANY(%s) AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > %s)
"""
LIST = f"""
SELECT {COLUMNS} FROM ops.access_tokens WHERE organization_id = %s AND kind = 'api_key' ORDER BY created_at DESC, id
"""  # noqa: S608 - a constant of this module
# The row lock of the UPDATE lets one of two browsers in, not both.
EXCHANGE = f"""
WITH link AS (
    UPDATE ops.access_tokens SET revoked_at = %(created_at)s
    WHERE token_hash = %(link_hash)s AND kind = 'sign_in_link' AND revoked_at IS NULL AND expires_at > %(created_at)s
    RETURNING organization_id, role, user_id, name, parent_id
)
INSERT INTO ops.access_tokens (id, organization_id, kind, token_hash, role, user_id, name, created_at, expires_at,
    parent_id)
SELECT %(id)s, l.organization_id, 'session', %(token_hash)s, l.role, l.user_id, l.name, %(created_at)s,
    least(%(expires_at)s, p.expires_at), p.id
FROM link l JOIN ops.access_tokens p ON p.id = l.parent_id AND p.revoked_at IS NULL AND p.expires_at > %(created_at)s
RETURNING {COLUMNS}
"""  # noqa: S608 - a constant of this module
REVOKE = """
WITH named AS (
    SELECT id FROM ops.access_tokens WHERE organization_id = %(organization_id)s AND kind = %(kind)s AND id = %(id)s
)
UPDATE ops.access_tokens SET revoked_at = coalesce(revoked_at, %(at)s)
WHERE id = (SELECT id FROM named) OR parent_id = (SELECT id FROM named)
"""


class PostgresAccessTokens:
    """Implements `AccessTokens`; finding goes by the hash, so no comparison's duration tells anything of a token."""

    def __init__(self, pool: QueryPool) -> None:
        self._pool = pool

    async def find(self, token_hash: bytes, now: datetime) -> AccessToken | None:
        async with self._pool.storing() as connection:
            cursor = await connection.execute(FIND, (token_hash, now))
            row = await cursor.fetchone()
        return None if row is None else msgspec.convert(row, AccessToken)

    async def still_open(self, token_ids: Collection[UUID], now: datetime) -> set[UUID]:
        async with self._pool.storing() as connection:
            cursor = await connection.execute(STILL_OPEN, (list(token_ids), now))
            return {row["id"] for row in await cursor.fetchall()}

    async def organizations(self) -> list[Organization]:
        async with self._pool.storing() as connection:
            cursor = await connection.execute(ORGANIZATIONS)
            return msgspec.convert(await cursor.fetchall(), list[Organization])

    async def add_organization(self, organization: Organization, key: AccessToken, key_hash: bytes) -> None:
        async with self._pool.storing() as connection:
            await connection.execute(
                "INSERT INTO ops.organizations (id, name, created_at) VALUES (%s, %s, %s)",
                (organization.id, organization.name, organization.created_at),
            )
            await connection.execute(INSERT_ROW, {**msgspec.structs.asdict(key), "token_hash": key_hash})

    async def add(self, *tokens: tuple[AccessToken, bytes]) -> None:
        try:
            async with self._pool.storing() as connection:
                for token, token_hash in tokens:
                    await connection.execute(INSERT_ROW, {**msgspec.structs.asdict(token), "token_hash": token_hash})
        except psycopg.errors.ForeignKeyViolation as error:
            raise UnknownOrganizationError(tokens[0][0].organization_id) from error

    async def exchange(self, link_hash: bytes, session: AccessToken, session_hash: bytes) -> AccessToken | None:
        async with self._pool.storing() as connection:
            cursor = await connection.execute(
                EXCHANGE,
                {**msgspec.structs.asdict(session), "link_hash": link_hash, "token_hash": session_hash},
            )
            row = await cursor.fetchone()
        return None if row is None else msgspec.convert(row, AccessToken)

    async def api_keys(self, organization_id: UUID) -> list[AccessToken]:
        async with self._pool.storing() as connection:
            cursor = await connection.execute(LIST, (organization_id,))
            return msgspec.convert(await cursor.fetchall(), list[AccessToken])

    async def revoke(self, organization_id: UUID, kind: TokenKind, token_id: UUID, at: datetime) -> bool:
        async with self._pool.storing() as connection:
            cursor = await connection.execute(
                REVOKE, {"at": at, "organization_id": organization_id, "kind": kind, "id": token_id}
            )
            return cursor.rowcount > 0
