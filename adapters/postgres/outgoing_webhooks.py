"""Outgoing webhooks in PostgreSQL, their signing secrets sealed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg.rows import TupleRow, tuple_row
from psycopg_pool import ConnectionPool

from adapters.postgres.outages import named_database_errors
from adapters.secrets import SealBrokenError, SecretBox
from application.ports.endpoints import UnknownOrganizationError
from application.ports.outgoing import OutgoingWebhook, SigningSecret, TooManyTestsError, TooManyWebhooksError
from domain.notification_kinds import NotificationKind
from domain.policies.delivering import Health, SwitchedOff

SEAL_PURPOSE: Final = "outgoing-webhook-secrets"
MINUTE: Final = timedelta(minutes=1)

_READ: Final = """
SELECT w.id, w.organization_id, w.url, w.secrets, w.created_at, w.kinds, w.failures, w.failing_since, w.paused_until,
    w.switched_off_because, w.switched_off_at, w.last_delivered_at,
    (SELECT count(*) FROM ops.outgoing_deliveries d WHERE d.webhook_id = w.id AND d.state = 'waiting')
FROM ops.outgoing_webhooks w
"""
_LOCK_ORGANIZATION: Final = "SELECT FROM ops.organizations WHERE id = %s FOR UPDATE"
_COUNT: Final = "SELECT count(*) FROM ops.outgoing_webhooks WHERE organization_id = %s"
_ADD: Final = """
INSERT INTO ops.outgoing_webhooks (id, organization_id, url, secrets, created_at, kinds, position)
SELECT %s, %s, %s, %s, %s, %s, CASE WHEN is_called THEN last_value ELSE 0 END FROM ops.announcements
"""
# What is under way at this moment says nothing about a webhook that begins anew: its lease is taken away.
_SWITCH_ON: Final = """
UPDATE ops.outgoing_webhooks SET switched_off_at = NULL, switched_off_because = NULL, failures = 0,
    failing_since = NULL, paused_until = NULL, lease = NULL, leased_until = '-infinity'
WHERE organization_id = %s AND id = %s
"""
_MOVE: Final = """
UPDATE ops.outgoing_webhooks SET url = %(url)s, failures = 0,
    failing_since = NULL, paused_until = NULL, lease = NULL, leased_until = '-infinity'
WHERE organization_id = %(organization_id)s AND id = %(webhook_id)s AND url <> %(url)s
"""
_CHOOSE: Final = """
UPDATE ops.outgoing_webhooks SET kinds = coalesce(%(kinds)s, kinds)
WHERE organization_id = %(organization_id)s AND id = %(webhook_id)s
"""
_SWITCH_OFF: Final = """
UPDATE ops.outgoing_webhooks SET switched_off_at = coalesce(switched_off_at, %s), lease = NULL,
    leased_until = '-infinity', switched_off_because = coalesce(switched_off_because, %s)
WHERE organization_id = %s AND id = %s
"""
_TESTS_IN_A_MINUTE: Final = """
SELECT count(*), min(created_at) FROM ops.outgoing_deliveries
WHERE webhook_id = %(webhook_id)s AND notification_id IS NULL AND created_at > %(at)s - interval '1 minute'
"""
_ADD_TEST: Final = """
INSERT INTO ops.outgoing_deliveries (organization_id, webhook_id, message_id, created_at, state, next_attempt_at)
SELECT organization_id, id, %(message_id)s, %(at)s, 'waiting', %(at)s FROM ops.outgoing_webhooks
WHERE organization_id = %(organization_id)s AND id = %(webhook_id)s
RETURNING id
"""
_MAY_GO_AGAIN: Final = """
SELECT d.notification_id IS NULL OR EXISTS (
    SELECT FROM notifications n WHERE n.id = d.notification_id AND n.announcement = d.announcement)
FROM ops.outgoing_deliveries d WHERE d.organization_id = %s AND d.webhook_id = %s AND d.id = %s FOR UPDATE
"""
_RETRY: Final = """
UPDATE ops.outgoing_deliveries SET state = 'waiting', reason = '', attempts_since_retry = 0, next_attempt_at = %s,
    finished_at = NULL
WHERE id = %s
"""
_HURRY: Final = "UPDATE ops.outgoing_webhooks SET paused_until = NULL WHERE organization_id = %s AND id = %s"

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[SigningSecret, ...]).decode


class PostgresOutgoingWebhookRecords:
    """See `application.ports.outgoing.OutgoingWebhookRecords`.

    Args:
        pool: Of connections to the migrated database.
        box: For `SEAL_PURPOSE`.
    """

    def __init__(self, pool: ConnectionPool[Any], box: SecretBox) -> None:
        self._pool = pool
        self._box = box

    def add(self, webhook: OutgoingWebhook, *, most: int) -> None:
        with named_database_errors(), self._pool.connection() as connection, connection.cursor() as cursor:
            if cursor.execute(_LOCK_ORGANIZATION, (webhook.organization_id,)).fetchone() is None:
                raise UnknownOrganizationError(webhook.organization_id)
            [count] = cursor.execute(_COUNT, (webhook.organization_id,)).fetchone() or (0,)
            if count >= most:
                raise TooManyWebhooksError(f"an organisation has at most {most} outgoing webhooks: remove one first")
            sealed = seal(self._box, webhook.id, webhook.secrets)
            row = (webhook.id, webhook.organization_id, webhook.url, sealed, webhook.created_at, list(webhook.kinds))
            cursor.execute(_ADD, row)

    def of_organization(self, organization_id: UUID) -> list[OutgoingWebhook]:
        return self._read("WHERE w.organization_id = %s ORDER BY w.created_at, w.id", organization_id)

    def find(self, organization_id: UUID, webhook_id: UUID) -> OutgoingWebhook | None:
        found = self._read("WHERE w.organization_id = %s AND w.id = %s", organization_id, webhook_id)
        return found[0] if found else None

    def change(
        self, organization_id: UUID, webhook_id: UUID, *, url: str | None, kinds: tuple[NotificationKind, ...] | None
    ) -> bool:
        chosen = None if kinds is None else list(kinds)
        named = {"organization_id": organization_id, "webhook_id": webhook_id, "url": url, "kinds": chosen}
        with named_database_errors(), self._pool.connection() as connection, connection.cursor() as cursor:
            if url is not None:
                cursor.execute(_MOVE, named)
            return bool(cursor.execute(_CHOOSE, named).rowcount)

    def change_secrets(
        self,
        organization_id: UUID,
        webhook_id: UUID,
        change: Callable[[tuple[SigningSecret, ...]], tuple[SigningSecret, ...]],
    ) -> bool:
        with named_database_errors(), self._pool.connection() as connection, connection.cursor() as cursor:
            row = cursor.execute(
                "SELECT secrets FROM ops.outgoing_webhooks WHERE organization_id = %s AND id = %s FOR UPDATE",
                (organization_id, webhook_id),
            ).fetchone()
            if row is None:
                return False
            changed = seal(self._box, webhook_id, change(self._opened(webhook_id, row[0])))
            cursor.execute("UPDATE ops.outgoing_webhooks SET secrets = %s WHERE id = %s", (changed, webhook_id))
            return True

    def switch_on(self, organization_id: UUID, webhook_id: UUID) -> bool:
        return self._changes(_SWITCH_ON, organization_id, webhook_id)

    def switch_off(self, organization_id: UUID, webhook_id: UUID, why: SwitchedOff, at: datetime) -> bool:
        return self._changes(_SWITCH_OFF, at, why.value, organization_id, webhook_id)

    def remove(self, organization_id: UUID, webhook_id: UUID) -> bool:
        return self._changes(
            "DELETE FROM ops.outgoing_webhooks WHERE organization_id = %s AND id = %s", organization_id, webhook_id
        )

    def add_test(
        self, organization_id: UUID, webhook_id: UUID, message_id: str, at: datetime, *, most_in_a_minute: int
    ) -> int | None:
        named = {"message_id": message_id, "at": at, "organization_id": organization_id, "webhook_id": webhook_id}
        with named_database_errors(), self._pool.connection() as connection, connection.cursor() as cursor:
            # It also has whoever tests the same webhook wait, so that the count holds.
            cursor.execute(_HURRY, (organization_id, webhook_id))
            count, first = cursor.execute(_TESTS_IN_A_MINUTE, named).fetchone() or (0, at)
            if count >= most_in_a_minute:
                raise TooManyTestsError(most_in_a_minute, retry_after_s=(first + MINUTE - at).total_seconds())
            row = cursor.execute(_ADD_TEST, named).fetchone()
            return row[0] if row else None

    def retry(self, organization_id: UUID, webhook_id: UUID, delivery_id: int, at: datetime) -> bool | None:
        with named_database_errors(), self._pool.connection() as connection, connection.cursor() as cursor:
            # First the webhook, as whoever sends does.
            cursor.execute(_HURRY, (organization_id, webhook_id))
            row = cursor.execute(_MAY_GO_AGAIN, (organization_id, webhook_id, delivery_id)).fetchone()
            if row is None:
                return None
            if row[0]:
                cursor.execute(_RETRY, (at, delivery_id))
            return bool(row[0])

    def _read(self, condition: str, *parameters: object) -> list[OutgoingWebhook]:
        with (
            named_database_errors(),
            self._pool.connection() as connection,
            connection.cursor(row_factory=tuple_row) as cursor,
        ):
            cursor.execute((_READ + condition).encode(), parameters)
            return [self._webhook(row) for row in cursor]

    def _changes(self, statement: str, *parameters: object) -> bool:
        with named_database_errors(), self._pool.connection() as connection:
            return bool(connection.execute(statement.encode(), parameters).rowcount)

    def _opened(self, webhook_id: UUID, sealed: bytes) -> tuple[SigningSecret, ...]:
        """Give no secrets where the key they were sealed with is lost: the webhook can be seen, and given a new one."""
        try:
            return unseal(self._box, webhook_id, sealed)
        except SealBrokenError:
            return ()

    def _webhook(self, row: TupleRow) -> OutgoingWebhook:
        id_, organization_id, url, secrets, created_at, kinds, failures, failing_since, paused_until, *rest = row
        because, switched_off_at, last_delivered_at, waiting = rest
        return OutgoingWebhook(
            id=id_,
            organization_id=organization_id,
            url=url,
            secrets=self._opened(id_, secrets),
            created_at=created_at,
            kinds=tuple(NotificationKind(kind) for kind in kinds),
            health=Health(
                failures=failures,
                failing_since=failing_since,
                paused_until=paused_until,
                switched_off=SwitchedOff(because) if because else None,
            ),
            switched_off_at=switched_off_at,
            waiting=waiting,
            last_delivered_at=last_delivered_at,
        )


def seal(box: SecretBox, webhook_id: UUID, secrets: tuple[SigningSecret, ...]) -> bytes:
    """Encrypt secrets; they open for this webhook only."""
    return box.seal(_encode(secrets), bound_to=webhook_id.bytes)


def unseal(box: SecretBox, webhook_id: UUID, sealed: bytes) -> tuple[SigningSecret, ...]:
    """Decrypt secrets.

    Raises:
        SealBrokenError: None of the secret keys opens them.
    """
    return _decode(box.open(sealed, bound_to=webhook_id.bytes))
