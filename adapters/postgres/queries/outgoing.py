"""The log of outgoing deliveries, from ``ops.outgoing_deliveries`` and ``ops.outgoing_attempts``."""

from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from psycopg.sql import SQL

from adapters.postgres.query_pool import ScopedDatabase
from read_models.outgoing.queries import DeliveryStatus, OutgoingDelivery
from read_models.paging import Page, PageRequest, page_of

DELIVERIES: Final = SQL("""
SELECT d.id, d.message_id, CASE WHEN d.notification_id IS NULL THEN 'test' ELSE 'notification' END AS kind,
    d.notification_id, d.state AS status, d.reason, d.created_at, d.next_attempt_at, d.finished_at, ARRAY(
        SELECT jsonb_build_object('number', a.number, 'attempted_at', a.attempted_at, 'outcome', a.outcome,
            'http_status', a.status, 'duration_ms', a.duration_ms)
        FROM ops.outgoing_attempts a WHERE a.delivery_id = d.id ORDER BY a.number) AS attempts
FROM ops.outgoing_deliveries d
WHERE d.organization_id = %(organization_id)s AND d.webhook_id = %(webhook_id)s AND {status} AND {after}
ORDER BY d.id DESC LIMIT %(rows)s
""")


class DeliveryKey(NamedTuple):
    """Place of a delivery in the list."""

    id: int


class PostgresOutgoingDeliveryQueries:
    """Implements `OutgoingDeliveryQueries`."""

    def __init__(self, database: ScopedDatabase) -> None:
        self._database = database

    async def deliveries(
        self, organization_id: UUID, webhook_id: UUID, status: DeliveryStatus | None, page: PageRequest
    ) -> Page[OutgoingDelivery]:
        after = page.after(DeliveryKey)
        query = DELIVERIES.format(
            status=SQL("true") if status is None else SQL("d.state = %(status)s"),
            after=SQL("d.id < %(id)s") if after else SQL("true"),
        )
        parameters = {
            "organization_id": organization_id,
            "webhook_id": webhook_id,
            "status": status.value if status else None,
            "rows": page.limit + 1,
            **(after._asdict() if after else {}),
        }
        async with self._database.reading(organization_id) as connection:
            cursor = await connection.execute(query, parameters)
            deliveries = msgspec.convert(await cursor.fetchall(), list[OutgoingDelivery])
        return page_of(deliveries, page.limit, keys=[DeliveryKey(one.id) for one in deliveries])
