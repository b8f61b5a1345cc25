"""The library's PostgreSQL recorder, appending many streams in one statement of somebody else's transaction."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from struct import Struct
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg import Cursor
from psycopg.rows import tuple_row
from psycopg.sql import SQL, Identifier

from adapters.postgres.arrays import number_array, uuid_array

StoredRow = tuple[UUID, int, str, bytes]
"""``originator_id, originator_version, topic, state``."""

HistoryRow = tuple[int, str, bytes]
"""Place of the stream among those asked for, ``topic, state``."""

LoggedRow = tuple[int, UUID, str, bytes]
"""``notification_id, originator_id, topic, state``."""

_ROWS_AT_ONCE: Final = 100
"""Of rows that travel while others are worked on, at both ends: what a socket holds is a few of these (ADR 0024)."""

# What COPY ... (FORMAT BINARY) reads; psycopg's own way to write a row takes three times as long.
_COPY_BEGINS: Final = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_COPY_ENDS: Final = b"\xff\xff"
_BEFORE_TOPIC: Final = Struct(">hi16siqi").pack
_LENGTH: Final = Struct(">i").pack


def _copied(row: StoredRow) -> bytes:
    stream_id, version, topic, state = row
    words = topic.encode()
    return _BEFORE_TOPIC(4, 16, stream_id.bytes, 8, version, len(words)) + words + _LENGTH(len(state)) + state


class BatchRecorder(PostgresApplicationRecorder):
    """Appends and reads by the thousand; the table and its lock stay the library's.

    The library's own `insert_events` pipelines one statement per event and hangs for ever somewhere above 1,000 events
    over a Unix socket (measured with 9.5.6 and psycopg 3.3.9); COPY has no such limit.
    """

    def __init__(self, datastore: PostgresDatastore) -> None:
        super().__init__(datastore, events_table_name="stored_events")
        table = SQL("{}.{}").format(Identifier(datastore.schema), Identifier(self.events_table_name))
        self._copy = SQL("COPY {} (originator_id, originator_version, topic, state) FROM STDIN (FORMAT BINARY)").format(
            table
        )
        self._streams = SQL(
            "SELECT originator_id, originator_version, topic, state FROM {} WHERE originator_id = ANY(%s::uuid[])"
            " ORDER BY originator_id, originator_version"
        ).format(table)
        self._histories = SQL(
            "SELECT (place - 1)::integer, topic, state FROM unnest(%s::uuid[]) WITH ORDINALITY AS ids (id, place)"
            " CROSS JOIN LATERAL (SELECT originator_version, topic, state FROM {} WHERE originator_id = id"
            " ORDER BY originator_version OFFSET 0) AS stream"
        ).format(table)
        self._first_ids = SQL(
            "SELECT originator_id, notification_id, state FROM {}"
            " WHERE originator_id = ANY(%s::uuid[]) AND originator_version = 1"
        ).format(table)
        self._streams_until = SQL(
            "SELECT notification_id, originator_id, topic, state FROM {} s"
            " WHERE originator_id = ANY(%s::uuid[]) AND notification_id <= %s AND NOT EXISTS ("
            "SELECT FROM ops.poison_events p WHERE p.read_model = %s AND p.notification_id = s.notification_id)"
            " ORDER BY originator_id, originator_version"
        ).format(table)
        self._lengths = SQL(
            "SELECT id, version FROM unnest(%s::uuid[]) AS ids (id) CROSS JOIN LATERAL ("
            "SELECT originator_version FROM {} WHERE originator_id = id ORDER BY originator_version DESC LIMIT 1"
            ") AS newest (version)"
        ).format(table)
        self._log = SQL(
            "SELECT notification_id, originator_id, topic, state FROM {}"
            " WHERE notification_id > %s ORDER BY notification_id LIMIT %s"
        ).format(table)

        self._at_places = SQL(
            "SELECT notification_id, originator_id, topic, state FROM {} WHERE notification_id = ANY(%s::bigint[])"
        ).format(table)

    def append(self, cursor: Cursor[Any], rows: Iterable[StoredRow], *, before_locking: int | None = None) -> None:
        """Append within the cursor's transaction; the table stays locked for appending until it ends.

        Args:
            cursor: Of the transaction.
            rows: May be made one by one: the server takes in the first while the others are made.
            before_locking: So many are made before the table is locked; ``None`` for all.

        Raises:
            psycopg.errors.UniqueViolation: Somebody else appended to one of the streams first.
        """
        copied = map(_copied, rows)
        ahead = b"".join((_COPY_BEGINS, *islice(copied, before_locking)))
        self._lock_table(cursor)
        self._notify_channel(cursor)
        with cursor.copy(self._copy) as copy:
            copy.write(ahead)
            while part := b"".join(islice(copied, _ROWS_AT_ONCE)):
                copy.write(part)
            copy.write(_COPY_ENDS)

    def streams(self, cursor: Cursor[Any], originator_ids: Sequence[UUID]) -> list[StoredRow]:
        """Read whole streams, one after the other, each in its order."""
        cursor.execute(self._streams, (uuid_array(originator_ids),), binary=True)
        rows: list[StoredRow] = cursor.fetchall()
        return rows

    @contextmanager
    def histories(self, cursor: Cursor[Any], originator_ids: Sequence[UUID]) -> Iterator[Iterator[HistoryRow]]:
        """Read whole streams, each in its order, and say by number which of those asked for each row is of.

        Rows are given while the server looks for the next ones; the cursor's connection is free again at the end of
        the ``with`` block, whatever happens in it.
        """
        arguments = (uuid_array(originator_ids),)
        with closing(cursor.stream(self._histories, arguments, binary=True, size=_ROWS_AT_ONCE)) as rows:  # type: ignore[type-var]  # psycopg calls its generator an iterator
            yield rows

    def first_events(self, cursor: Cursor[Any], originator_ids: Sequence[UUID]) -> dict[UUID, tuple[int, bytes]]:
        """Give the place in the global order and the state of each stream's first event."""
        cursor.execute(self._first_ids, (uuid_array(originator_ids),), binary=True)
        return {originator_id: (place, state) for originator_id, place, state in cursor}

    def log_after(self, cursor: Cursor[Any], position: int, limit: int) -> list[LoggedRow]:
        """Read the global order after a position; without gaps, because appends are serialised."""
        cursor.execute(self._log, (position, limit), binary=True)
        rows: list[LoggedRow] = cursor.fetchall()
        return rows

    def streams_until(
        self, cursor: Cursor[Any], originator_ids: Iterable[UUID], place: int, *, reader: str
    ) -> list[LoggedRow]:
        """Read streams up to a place in the global order, without what a read model has set aside."""
        cursor.execute(self._streams_until, (uuid_array(originator_ids), place, reader), binary=True)
        rows: list[LoggedRow] = cursor.fetchall()
        return rows

    def lengths(self, cursor: Cursor[Any], originator_ids: Iterable[UUID]) -> dict[UUID, int]:
        """Give the number of events in each stream that has any."""
        cursor.execute(self._lengths, (uuid_array(originator_ids),), binary=True)
        return dict(cursor.fetchall())

    def at_places(self, cursor: Cursor[Any], places: Iterable[int]) -> list[LoggedRow]:
        """Read events by their places in the global order."""
        cursor.execute(self._at_places, (number_array(places),), binary=True)
        rows: list[LoggedRow] = cursor.fetchall()
        return rows

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """Append in a transaction of its own, for the library's `Application`."""
        if not stored_events:
            return []
        with self.datastore.get_connection() as connection, connection.transaction():
            cursor = connection.cursor(row_factory=tuple_row)
            self.append(cursor, [(e.originator_id, e.originator_version, e.topic, e.state) for e in stored_events])  # type: ignore[misc]  # emails are named by UUIDs
            cursor.execute(
                SQL(
                    "SELECT s.notification_id"
                    " FROM unnest(%s::uuid[], %s::bigint[]) WITH ORDINALITY AS e (id, version, n)"
                    " JOIN {}.{} s ON s.originator_id = e.id AND s.originator_version = e.version ORDER BY e.n"
                ).format(Identifier(self.datastore.schema), Identifier(self.events_table_name)),
                ([e.originator_id for e in stored_events], [e.originator_version for e in stored_events]),
            )
            return [notification_id for (notification_id,) in cursor]
