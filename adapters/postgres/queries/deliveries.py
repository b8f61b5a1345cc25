"""Reports that wait for somebody, from ``ops.parked_reports``."""

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import msgspec
from psycopg.sql import SQL

from adapters.postgres.query_pool import ScopedDatabase
from read_models.deliveries.queries import ParkedDelivery, ParkedStatus, Waiting
from read_models.paging import Page, PageRequest, page_of

PARKED = SQL(
    "SELECT id, status, provider, endpoint_id, reason, message_id, email_id, delivery_id, received_at, parked_at,"
    " times_seen FROM ops.parked_reports WHERE organization_id = %(organization_id)s AND {status} AND {after}"
    " ORDER BY id DESC LIMIT %(rows)s"
)
WAITING = SQL(
    "SELECT id, count(*) OVER () AS reports FROM ops.parked_reports"
    " WHERE organization_id = %(organization_id)s AND {status} AND {below} ORDER BY id DESC LIMIT %(most)s"
)
LAST_RECEIVED = "SELECT endpoint_id, received_at FROM ops.last_receptions WHERE organization_id = %s"


class ParkedKey(NamedTuple):
    """Place of a report in the list."""

    id: int


class PostgresDeliveryQueries:
    """Implements `DeliveryQueries`."""

    def __init__(self, database: ScopedDatabase) -> None:
        self._database = database

    async def parked(
        self, organization_id: UUID, status: ParkedStatus | None, page: PageRequest
    ) -> Page[ParkedDelivery]:
        after = page.after(ParkedKey)
        query = PARKED.format(
            status=_of(status),
            after=SQL("id < %(id)s") if after else SQL("true"),
        )
        parameters = {
            "organization_id": organization_id,
            "status": status,
            "rows": page.limit + 1,
            **(after._asdict() if after else {}),
        }
        async with self._database.reading(organization_id) as connection:
            cursor = await connection.execute(query, parameters)
            reports = msgspec.convert(await cursor.fetchall(), list[ParkedDelivery])
        return page_of(reports, page.limit, keys=[ParkedKey(report.id) for report in reports])

    async def last_received(self, organization_id: UUID) -> Mapping[UUID, datetime]:
        async with self._database.reading(organization_id) as connection:
            cursor = await connection.execute(LAST_RECEIVED, (organization_id,))
            return {row["endpoint_id"]: row["received_at"] for row in await cursor.fetchall()}

    async def waiting(
        self, organization_id: UUID, status: ParkedStatus | None, *, below: int | None, most: int
    ) -> Waiting:
        query = WAITING.format(status=_of(status), below=SQL("true") if below is None else SQL("id < %(below)s"))
        parameters = {"organization_id": organization_id, "status": status, "below": below, "most": most}
        async with self._database.reading(organization_id) as connection:
            rows = await (await connection.execute(query, parameters)).fetchall()
        return Waiting(ids=[row["id"] for row in rows], number=rows[0]["reports"] if rows else 0)


def _of(status: ParkedStatus | None) -> SQL:
    return SQL("true") if status is None else SQL("status = %(status)s")
