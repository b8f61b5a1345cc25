"""What waits for the receivers of outgoing webhooks, in PostgreSQL: notifications by their numbers, and deliveries."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import Cursor
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

from adapters.outgoing.payload import SentNotification, body_of, body_of_test
from adapters.postgres.outages import named_database_errors
from adapters.postgres.outgoing_webhooks import unseal
from adapters.secrets import SealBrokenError, SecretBox
from application.ports.outgoing import Batch, Message, Result
from domain.policies.delivering import Health, Outcome

logger = logging.getLogger(__name__)

MOST_WAITING: Final = 1_000
"""Deliveries of a webhook that wait at a time; the rest waits as notifications, which cost nothing more."""

# What is due is looked for by two probes of an index for each webhook that is on and nobody's.
_CLAIM: Final = """
UPDATE ops.outgoing_webhooks SET lease = %(lease)s, leased_until = %(until)s WHERE id IN (
    SELECT w.id FROM ops.outgoing_webhooks w
    WHERE w.switched_off_at IS NULL AND w.leased_until <= %(now)s AND coalesce(w.paused_until <= %(now)s, true)
        AND (EXISTS (SELECT FROM ops.outgoing_deliveries d
                WHERE d.webhook_id = w.id AND d.state = 'waiting' AND d.next_attempt_at <= %(now)s)
            OR EXISTS (SELECT FROM notifications n
                WHERE n.organization_id = w.organization_id AND n.announcement > w.position
                    AND %(most_waiting)s > (SELECT count(*) FROM (SELECT FROM ops.outgoing_deliveries d
                        WHERE d.webhook_id = w.id AND d.state = 'waiting' LIMIT %(most_waiting)s) waiting)))
    ORDER BY w.leased_until LIMIT %(most)s FOR UPDATE SKIP LOCKED)
RETURNING id
"""
_PROLONG: Final = """
UPDATE ops.outgoing_webhooks SET leased_until = %(until)s
WHERE id = %(webhook_id)s AND lease = %(lease)s AND switched_off_at IS NULL
RETURNING organization_id, url, secrets, failures, failing_since, paused_until
"""
_FILL: Final = """
WITH room AS (
    SELECT %(most_waiting)s - count(*) AS deliveries FROM (
        SELECT FROM ops.outgoing_deliveries WHERE webhook_id = %(webhook_id)s AND state = 'waiting'
        LIMIT %(most_waiting)s) waiting
), news AS (
    SELECT n.id, n.announcement, n.kind = ANY (w.kinds) AS is_wanted FROM ops.outgoing_webhooks w
    JOIN notifications n ON n.organization_id = w.organization_id AND n.announcement > w.position
    WHERE w.id = %(webhook_id)s ORDER BY n.announcement LIMIT (SELECT deliveries FROM room)
), kept AS (
    INSERT INTO ops.outgoing_deliveries
        (organization_id, webhook_id, message_id, notification_id, announcement, created_at, state, next_attempt_at)
    SELECT %(organization_id)s, %(webhook_id)s, 'msg_' || translate(id::text, '-', '') || '_' || announcement, id,
        announcement, %(now)s, 'waiting', %(now)s
    FROM news WHERE is_wanted ORDER BY announcement
    ON CONFLICT (webhook_id, message_id) DO NOTHING
)
UPDATE ops.outgoing_webhooks SET position = (SELECT max(announcement) FROM news)
WHERE id = %(webhook_id)s AND EXISTS (SELECT FROM news)
"""
_DROP: Final = """
UPDATE ops.outgoing_deliveries d SET state = 'dropped', next_attempt_at = NULL, finished_at = %(now)s,
    reason = CASE WHEN n.id IS NULL THEN 'gone' ELSE 'told_anew' END
FROM ops.outgoing_deliveries o LEFT JOIN notifications n ON n.id = o.notification_id
WHERE o.id = d.id AND d.webhook_id = %(webhook_id)s AND d.state = 'waiting' AND d.next_attempt_at <= %(now)s
    AND d.notification_id IS NOT NULL AND n.announcement IS DISTINCT FROM d.announcement
"""
# Tests first: somebody waits for them.
_DUE: Final = """
SELECT d.id AS delivery_id, d.message_id, d.attempts_since_retry, d.created_at AS asked_at, d.notification_id,
    n.user_id, n.kind, n.email_id, n.candidate_id, n.candidate_name, n.subject, n.occurred_at, n.title, n.text, n.url,
    n.read_at
FROM ops.outgoing_deliveries d LEFT JOIN notifications n ON n.id = d.notification_id
WHERE d.webhook_id = %(webhook_id)s AND d.state = 'waiting' AND d.next_attempt_at <= %(now)s
ORDER BY d.notification_id IS NOT NULL, d.next_attempt_at, d.id LIMIT %(most)s
"""
# Of a delivery that another process finished meanwhile, the attempt is kept and the state left alone. Who lost the
# lease may only say that it arrived.
_RECORD: Final = """
WITH tried AS (
    UPDATE ops.outgoing_deliveries d SET attempts = d.attempts + 1, attempts_since_retry = d.attempts_since_retry + 1,
        state = CASE WHEN d.state <> 'waiting' OR NOT %(decides)s THEN d.state ELSE %(state)s END,
        next_attempt_at = CASE WHEN NOT %(decides)s THEN d.next_attempt_at
            WHEN d.state = 'waiting' THEN %(next_attempt_at)s::timestamptz END,
        finished_at = CASE WHEN d.state <> 'waiting' OR NOT %(decides)s THEN d.finished_at
            WHEN %(next_attempt_at)s::timestamptz IS NULL THEN %(now)s END
    WHERE d.id = %(delivery_id)s RETURNING d.id, d.attempts, d.organization_id
)
INSERT INTO ops.outgoing_attempts (delivery_id, number, organization_id, attempted_at, outcome, status, duration_ms)
SELECT id, attempts, organization_id, %(at)s, %(outcome)s, %(status)s, %(duration_ms)s FROM tried
"""
_KEEP_HEALTH: Final = """
UPDATE ops.outgoing_webhooks SET failures = %(failures)s, failing_since = %(failing_since)s,
    paused_until = %(paused_until)s,
    last_delivered_at = CASE WHEN %(delivered)s THEN %(now)s ELSE last_delivered_at END,
    switched_off_at = coalesce(switched_off_at, CASE WHEN %(switched_off)s::text IS NOT NULL THEN %(now)s END),
    switched_off_because = coalesce(switched_off_because, %(switched_off)s)
WHERE id = %(webhook_id)s AND lease = %(lease)s
"""
_RELEASE: Final = """
UPDATE ops.outgoing_webhooks SET lease = NULL, leased_until = %s WHERE id = %s AND lease = %s
"""
_FORGET: Final = """
DELETE FROM ops.outgoing_deliveries WHERE id IN (
    SELECT id FROM ops.outgoing_deliveries WHERE created_at < %s ORDER BY created_at LIMIT %s FOR UPDATE SKIP LOCKED)
"""


class PostgresOutbox:
    """See `application.ports.outgoing.Outbox`.

    Args:
        pool: Of connections to the migrated database.
        box: For the secrets of outgoing webhooks.
    """

    def __init__(self, pool: ConnectionPool[Any], box: SecretBox) -> None:
        self._pool = pool
        self._box = box

    def claim(self, lease: UUID, now: datetime, *, until: datetime, most: int) -> Sequence[UUID]:
        asked = {"lease": lease, "now": now, "until": until, "most": most, "most_waiting": MOST_WAITING}
        with self._transaction() as cursor:
            return [row["id"] for row in cursor.execute(_CLAIM, asked)]

    def take(self, webhook_id: UUID, lease: UUID, now: datetime, *, until: datetime, most: int) -> Batch | None:
        asked = {
            "webhook_id": webhook_id,
            "lease": lease,
            "now": now,
            "until": until,
            "most": most,
            "most_waiting": MOST_WAITING,
        }
        with self._transaction() as cursor:
            webhook = cursor.execute(_PROLONG, asked).fetchone()
            if webhook is None:
                return None
            cursor.execute(_FILL, {**asked, "organization_id": webhook["organization_id"]})
            cursor.execute(_DROP, asked)
            messages = [_message(webhook_id, row) for row in cursor.execute(_DUE, asked)]
        return Batch(
            url=webhook["url"],
            secrets=self._secrets(webhook_id, webhook["secrets"], now),
            health=Health(
                failures=webhook["failures"],
                failing_since=webhook["failing_since"],
                paused_until=webhook["paused_until"],
            ),
            messages=messages,
        )

    def record(self, webhook_id: UUID, lease: UUID, results: Sequence[Result], health: Health, now: datetime) -> bool:
        with self._transaction() as cursor:
            # First the webhook, as whoever removes it does.
            cursor.execute(
                _KEEP_HEALTH,
                {
                    "webhook_id": webhook_id,
                    "lease": lease,
                    "now": now,
                    "delivered": any(_is_delivered(result) for result in results),
                    "failures": health.failures,
                    "failing_since": health.failing_since,
                    "paused_until": health.paused_until,
                    "switched_off": health.switched_off.value if health.switched_off else None,
                },
            )
            is_ours = cursor.rowcount == 1
            cursor.executemany(_RECORD, [_row(result, now, is_ours=is_ours) for result in results])
        return is_ours

    def release(self, webhook_id: UUID, lease: UUID, now: datetime) -> None:
        with self._transaction() as cursor:
            cursor.execute(_RELEASE, (now, webhook_id, lease))

    def forget_before(self, instant: datetime, *, most: int) -> int:
        with self._transaction() as cursor:
            cursor.execute(_FORGET, (instant, most))
            return cursor.rowcount

    def _secrets(self, webhook_id: UUID, sealed: bytes, now: datetime) -> tuple[str, ...]:
        try:
            secrets = unseal(self._box, webhook_id, sealed)
        except SealBrokenError:
            logger.exception("A webhook's secrets cannot be opened", extra={"event": "seal_broken"})
            return ()
        return tuple(secret.text for secret in secrets if secret.expires_at is None or secret.expires_at > now)

    @contextmanager
    def _transaction(self) -> Iterator[Cursor[DictRow]]:
        with (
            named_database_errors(),
            self._pool.connection() as connection,
            connection.cursor(row_factory=dict_row) as cursor,
        ):
            # What the machine forgets when it fails is sent once more, by the same name.
            cursor.execute(
                "SELECT set_config('synchronous_commit', 'off', true), set_config('lock_timeout', '5s', true)"
            )
            yield cursor


def _message(webhook_id: UUID, row: DictRow) -> Message:
    delivery_id, message_id = row.pop("delivery_id"), row.pop("message_id")
    attempts, asked_at = row.pop("attempts_since_retry"), row.pop("asked_at")
    notification_id = row.pop("notification_id")
    if notification_id is None:
        body = body_of_test(webhook_id, asked_at)
    else:
        body = body_of(msgspec.convert({"id": notification_id, **row}, SentNotification))
    return Message(delivery_id=delivery_id, id=message_id, attempts=attempts, body=body)


def _row(result: Result, now: datetime, *, is_ours: bool) -> dict[str, object]:
    finished = "delivered" if _is_delivered(result) else "failed"
    return {
        "delivery_id": result.delivery_id,
        "decides": is_ours or _is_delivered(result),
        "state": "waiting" if result.next_attempt_at else finished,
        "next_attempt_at": result.next_attempt_at,
        "now": now,
        "at": result.at,
        "outcome": result.attempt.outcome.value,
        "status": result.attempt.status,
        "duration_ms": result.attempt.duration_ms,
    }


def _is_delivered(result: Result) -> bool:
    return result.attempt.outcome is Outcome.DELIVERED
