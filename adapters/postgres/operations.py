"""What an operator, a sweeper and the metrics ask about the state of the work."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
from eventsourcing.persistence import MapperDeserialisationError
from eventsourcing.postgres import PostgresDatastore
from psycopg import Cursor
from psycopg.rows import TupleRow

from adapters.postgres.datastore import cursor_of
from adapters.postgres.event_codec import FactMapper
from adapters.postgres.rebuild import rebuilt_name
from domain.email_facts import recorded_at

_READ_MODELS: Final = """
SELECT m.name, m.version, m.position, greatest(0, newest.place - m.position), m.updated_at, now(),
    (SELECT count(*) FROM ops.poison_events p WHERE p.read_model = m.name),
    EXISTS (
        SELECT FROM pg_locks l
        WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (l.classid::bigint << 32 | l.objid::bigint) = hashtext(m.name)
    )
FROM ops.read_models m
CROSS JOIN (SELECT coalesce(max(notification_id), 0) AS place FROM events.stored_events) newest
ORDER BY m.name
"""
_AROUND: Final[LiteralString] = """
(SELECT topic, state FROM events.stored_events WHERE notification_id > %(position)s
    ORDER BY notification_id LIMIT 1)
UNION ALL
(SELECT topic, state FROM events.stored_events WHERE notification_id <= %(position)s
    ORDER BY notification_id DESC LIMIT 20)
"""
"""The oldest event that was not taken in, and some before it. Its own time may be long past, if it was tried again or
withheld; but it was appended after the others, so the latest time that any of them says is the best guess."""


class InboxState(msgspec.Struct, frozen=True, kw_only=True):
    """What waits in the inbox.

    Attributes:
        due: Deliveries that could be processed now.
        postponed: Deliveries that wait for another attempt.
        oldest_due_s: Seconds since the oldest due delivery was received; 0.0 if there is none.
    """

    due: int
    postponed: int
    oldest_due_s: float


class ReadModelState(msgspec.Struct, frozen=True, kw_only=True):
    """How far a read model is, or the rebuild of one.

    Attributes:
        lag_events: Events that it has not taken in; places that rolled back transactions left empty count as well.
        lag_s: Age of the oldest of them in seconds, counted from when what it tells was received; 0.0 if there is none.
        poison_events: Events that it set aside.
        rebuild_of: The read model that is rebuilt; "" if this is no rebuild, but serves.
        is_under_way: Whether a process works at the rebuild; if not, it was ended before its time.
    """

    name: str
    version: int
    position: int
    lag_events: int
    lag_s: float
    poison_events: int
    updated_at: datetime
    rebuild_of: str = ""
    is_under_way: bool = False


class OutgoingState(msgspec.Struct, frozen=True, kw_only=True):
    """How outgoing webhooks do.

    Attributes:
        webhooks: How many are ``on``, ``failing`` and ``off``.
        waiting: What waits to be sent by webhooks that are not off: deliveries, and of each that is well up to 1,000
            notifications that no worker took up.
        oldest_due_s: Seconds since the one that is due longest could be attempted; 0.0 if none is.
    """

    webhooks: dict[str, int]
    waiting: int
    oldest_due_s: float


class ParkedState(msgspec.Struct, frozen=True, kw_only=True):
    """A parked report as an operator lists it; holds no personal data."""

    id: int
    organization_id: UUID
    provider: str
    status: str
    reason: str
    message_id: str
    received_at: datetime
    times_seen: int


class PostgresOperations:
    """Reads and never changes anything.

    Args:
        datastore: From `open_datastore`.
        mapper: For the facts that tell how old they are.
    """

    def __init__(self, datastore: PostgresDatastore, mapper: FactMapper) -> None:
        self._datastore = datastore
        self._mapper = mapper

    def inbox(self) -> InboxState:
        """Say what waits."""
        with cursor_of(self._datastore) as cursor:
            cursor.execute(
                "SELECT count(*) FILTER (WHERE due), count(*) FILTER (WHERE NOT due),"
                " coalesce(extract(epoch FROM now() - min(received_at) FILTER (WHERE due)), 0)::float8"
                " FROM (SELECT next_attempt_at <= now() AS due, received_at FROM ops.webhook_inbox) i"
            )
            due, postponed, oldest = cursor.fetchone() or (0, 0, 0.0)
            return InboxState(due=due, postponed=postponed, oldest_due_s=oldest)

    def has_due_delivery(self) -> bool:
        """Say whether the inbox holds work, at the cost of looking at one row."""
        with cursor_of(self._datastore) as cursor:
            cursor.execute("SELECT EXISTS (SELECT FROM ops.webhook_inbox WHERE next_attempt_at <= now())")
            row = cursor.fetchone()
            return bool(row and row[0])

    def read_until(self) -> int:
        """See `application.ports.erasure.ReadModelsProgress`."""
        with cursor_of(self._datastore) as cursor:
            cursor.execute("SELECT coalesce(min(position), 0) FROM ops.read_models")
            row = cursor.fetchone()
            return int(row[0]) if row else 0

    def read_models(self) -> Sequence[ReadModelState]:
        """Say how far each read model is, rebuilds included."""
        with cursor_of(self._datastore) as cursor:
            rows = cursor.execute(_READ_MODELS).fetchall()
            return [
                ReadModelState(
                    name=name,
                    version=version,
                    position=position,
                    lag_events=lag,
                    lag_s=self._age_s(cursor, position, moved_at=updated_at, now=now) if lag else 0.0,
                    poison_events=poison,
                    updated_at=updated_at,
                    rebuild_of=rebuilt_name(name),
                    is_under_way=is_locked,
                )
                for name, version, position, lag, updated_at, now, poison, is_locked in rows
            ]

    def _age_s(self, cursor: Cursor[TupleRow], position: int, *, moved_at: datetime, now: datetime) -> float:
        cursor.execute(_AROUND, {"position": position}, binary=True)
        appended_at = max(self._times(cursor.fetchall()), default=moved_at)
        return max(0.0, (now - appended_at).total_seconds())

    def _times(self, events: Iterable[tuple[Any, ...]]) -> Iterator[datetime]:
        for topic, state in events:
            try:
                yield recorded_at(self._mapper.decode(topic, state))
            except MapperDeserialisationError:
                continue  # what this version cannot read tells it no time

    def parked(self, *, status: str | None, most: int) -> Sequence[ParkedState]:
        """List parked reports of all organisations, newest first."""
        with cursor_of(self._datastore) as cursor:
            cursor.execute(
                "SELECT id, organization_id, provider, status, reason, message_id, received_at, times_seen"
                " FROM ops.parked_reports WHERE %(status)s::text IS NULL OR status = %(status)s"
                " ORDER BY id DESC LIMIT %(most)s",
                {"status": status, "most": most},
            )
            return [
                ParkedState(
                    id=id_,
                    organization_id=organization_id,
                    provider=provider,
                    status=status_,
                    reason=reason,
                    message_id=message_id,
                    received_at=received_at,
                    times_seen=times_seen,
                )
                for id_, organization_id, provider, status_, reason, message_id, received_at, times_seen in cursor
            ]

    def parked_ids(self, ids: Sequence[int] | None) -> Sequence[tuple[UUID, int]]:
        """Give organisation and id of these parked reports, or of all failed ones."""
        with cursor_of(self._datastore) as cursor:
            if ids is None:
                cursor.execute("SELECT organization_id, id FROM ops.parked_reports WHERE status = 'failed' ORDER BY id")
            else:
                cursor.execute(
                    "SELECT organization_id, id FROM ops.parked_reports WHERE id = ANY(%s) ORDER BY id", (list(ids),)
                )
            return cursor.fetchall()

    def parked_counts(self) -> dict[str, int]:
        """Count parked reports by status."""
        with cursor_of(self._datastore) as cursor:
            cursor.execute("SELECT status, count(*) FROM ops.parked_reports GROUP BY status")
            return {"failed": 0, "orphaned": 0, **dict(cursor.fetchall())}

    def outcomes(self) -> dict[str, int]:
        """Count drained reports by what became of them."""
        with cursor_of(self._datastore) as cursor:
            cursor.execute("SELECT outcome, reports FROM ops.report_outcomes ORDER BY outcome")
            return dict(cursor.fetchall())

    def outgoing(self) -> OutgoingState:
        """Say how outgoing webhooks do."""
        with cursor_of(self._datastore) as cursor:
            cursor.execute(
                "SELECT CASE WHEN switched_off_at IS NOT NULL THEN 'off' WHEN failing_since IS NOT NULL THEN 'failing'"
                " ELSE 'on' END, count(*) FROM ops.outgoing_webhooks GROUP BY 1"
            )
            webhooks = {"on": 0, "failing": 0, "off": 0, **dict(cursor.fetchall())}
            cursor.execute(
                "SELECT count(*), coalesce(extract(epoch FROM now() - least(now(), min(d.next_attempt_at))), 0)::float8"
                " FROM ops.outgoing_webhooks w JOIN ops.outgoing_deliveries d ON d.webhook_id = w.id"
                " WHERE d.state = 'waiting' AND w.switched_off_at IS NULL"
            )
            waiting, oldest = cursor.fetchone() or (0, 0.0)
            cursor.execute(
                "SELECT count(*), coalesce(extract(epoch FROM now() - least(now(), min(n.told_at))), 0)::float8"
                " FROM ops.outgoing_webhooks w CROSS JOIN LATERAL ("
                "  SELECT greatest(n.created_at, n.occurred_at) AS told_at FROM notifications n"
                "  WHERE n.organization_id = w.organization_id AND n.announcement > w.position"
                "  AND n.kind = ANY (w.kinds)"
                "  ORDER BY n.announcement LIMIT 1000) n"
                " WHERE w.switched_off_at IS NULL AND w.failing_since IS NULL"
            )
            untaken, told = cursor.fetchone() or (0, 0.0)
            return OutgoingState(webhooks=webhooks, waiting=waiting + untaken, oldest_due_s=max(oldest, told))
