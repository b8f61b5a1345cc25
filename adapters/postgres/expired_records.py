"""What is beyond its time, in PostgreSQL: whole streams go with the fact that says so, in small transactions."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID, uuid4

import psycopg
from eventsourcing.postgres import PostgresDatastore
from psycopg import Cursor
from psycopg.rows import tuple_row

from adapters.postgres.arrays import uuid_array
from adapters.postgres.engagement_view import PostgresEngagementView
from adapters.postgres.event_codec import FactMapper
from adapters.postgres.event_recorder import BatchRecorder
from adapters.postgres.outages import named_database_errors
from adapters.postgres.purge_summary import purge_of
from adapters.postgres.rebuild import REBUILDING
from adapters.postgres.silence import silence_limits
from adapters.postgres.tracking_records import PostgresTrackingRecords
from application.ports.expired_records import Expired, PurgedEmails, PurgeWaitsError, RetentionBusyError
from domain.email_facts import Sent
from domain.organization_facts import EmailsPurged
from read_models.engagement import projection as engagement

MOST_EVENTS: Final = 5_000
"""In one transaction, unless a single email has more."""
_PURGING: Final = 558_000_003
"""Advisory lock of the process that purges."""

_OLDEST: Final = """
SELECT id, email_id, recipient_type, recipient_id, addressee_id FROM email_logs
WHERE organization_id = %s AND sent_at < %s ORDER BY sent_at, id LIMIT %s
"""
_STREAMS: Final = """
SELECT originator_id, count(*), max(notification_id) FROM events.stored_events
WHERE originator_id = ANY(%s::uuid[]) GROUP BY originator_id
"""
_FOLDED: Final = """
SELECT (SELECT position FROM ops.read_models WHERE name = %s),
    (SELECT coalesce(max(place), 0) FROM ops.purged_emails)
"""
_NOTE: Final = """
INSERT INTO ops.purged_emails (purge_id, place, email_log_id, organization_id, candidate_id)
SELECT %(purge_id)s, s.notification_id, e.id, %(organization_id)s, e.candidate_id
FROM unnest(%(ids)s::bigint[], %(candidates)s::text[]) AS e (id, candidate_id), events.stored_events s
WHERE s.originator_id = %(purge_id)s AND s.originator_version = 1
"""
_DELETE_STREAMS: Final = """
WITH gone AS (DELETE FROM events.stored_events WHERE originator_id = ANY(%s::uuid[]) RETURNING notification_id)
DELETE FROM ops.poison_events p USING gone WHERE p.notification_id = gone.notification_id
"""
# Whoever has another email keeps the key: one that is folded, or one that no read model knows yet.
_DESTROY_KEYS: Final = """
DELETE FROM ops.recipient_keys k WHERE k.addressee_id = ANY(%(addressees)s::uuid[])
    AND NOT EXISTS (SELECT FROM email_logs e WHERE e.addressee_id = k.addressee_id AND NOT e.id = ANY(%(gone)s))
"""
_NOT_FOLDED: Final = """
SELECT state FROM events.stored_events
WHERE notification_id > (SELECT position FROM ops.read_models WHERE name = %s) AND topic = %s
"""
_DELETE_THREADS: Final = "DELETE FROM ops.email_threads WHERE email_id = ANY(%s::uuid[])"
_DELETE_PARKED: Final = """
DELETE FROM ops.parked_reports WHERE id IN (
    SELECT id FROM ops.parked_reports WHERE organization_id = %s AND received_at < %s LIMIT %s FOR UPDATE SKIP LOCKED)
"""
_DELETE_WAITING: Final = """
DELETE FROM ops.webhook_inbox WHERE id IN (
    SELECT id FROM ops.webhook_inbox WHERE organization_id = %s AND received_at < %s LIMIT %s FOR UPDATE SKIP LOCKED)
"""
_TIDY: Final = """
DELETE FROM ops.purged_emails WHERE place <= (SELECT min(position) FROM ops.read_models WHERE name NOT LIKE '%@rebuild')
"""
_SURVEY: Final = """
SELECT count(*), min(e.sent_at), coalesce(sum((
        SELECT count(*) FROM events.stored_events s WHERE s.originator_id = e.email_id)), 0)::bigint,
    (SELECT count(*) FROM ops.parked_reports WHERE organization_id = %(organization_id)s AND received_at < %(before)s),
    (SELECT count(*) FROM ops.webhook_inbox WHERE organization_id = %(organization_id)s AND received_at < %(before)s)
FROM email_logs e WHERE e.organization_id = %(organization_id)s AND e.sent_at < %(before)s
"""


class _Old(NamedTuple):
    """An email whose time is up."""

    id: int
    candidate_id: str | None
    addressee_id: UUID


class PostgresExpiredRecords:
    """See `application.ports.expired_records.ExpiredRecords`.

    Args:
        datastore: From `open_datastore`.
        recorder: On the same datastore.
        mapper: For the facts.
        database_url: For the connection that keeps other purgers out.
    """

    def __init__(
        self, datastore: PostgresDatastore, recorder: BatchRecorder, mapper: FactMapper, *, database_url: str
    ) -> None:
        self._datastore = datastore
        self._recorder = recorder
        self._mapper = mapper
        self._database_url = database_url

    @contextmanager
    def alone(self) -> Iterator[None]:
        with named_database_errors():
            connection = psycopg.connect(
                self._database_url, autocommit=True, connect_timeout=3, **silence_limits(self._database_url)
            )
        with connection:
            [held] = connection.execute("SELECT pg_try_advisory_lock(%s)", (_PURGING,)).fetchone() or (False,)
            if not held:
                raise RetentionBusyError("another process purges already; it will do the rest as well")
            yield

    def organizations(self) -> Sequence[UUID]:
        with self._transaction() as cursor:
            cursor.execute("SELECT id FROM ops.organizations ORDER BY created_at, id")
            return [organization_id for (organization_id,) in cursor]

    def survey(self, organization_id: UUID, now: datetime) -> Expired:
        with self._transaction() as cursor:
            days, before = self._time_of(cursor, organization_id, now)
            cursor.execute(_SURVEY, {"organization_id": organization_id, "before": before})
            emails, oldest, events, parked, waiting = cursor.fetchone() or (0, None, 0, 0, 0)
            return Expired(
                organization_id=organization_id,
                retention_days=days,
                before=before,
                emails=emails,
                events=events,
                parked_reports=parked,
                waiting_deliveries=waiting,
                oldest_sent_at=oldest,
            )

    def purge_emails(self, organization_id: UUID, now: datetime, *, most: int) -> PurgedEmails:
        with self._transaction() as cursor:
            self._keep_rebuilds_out(cursor)
            PostgresTrackingRecords(cursor, self._recorder, self._mapper).stop_recording(organization_id)
            _, before = self._time_of(cursor, organization_id, now)
            cursor.execute(_OLDEST, (organization_id, before, most))
            oldest = {
                email_id: _Old(id_, whom if kind == "Candidate" else None, addressee_id)
                for id_, email_id, kind, whom, addressee_id in cursor
            }
            if not oldest:
                return PurgedEmails()
            streams = self._as_many_as_fit(cursor, list(oldest))
            gone = [oldest[email_id] for email_id in streams]
            purge_id = uuid4()
            fact = self._purge_of(cursor, organization_id, now, streams)
            # From here to the commit nobody else appends.
            self._recorder.append(cursor, [(purge_id, 1, EmailsPurged.TOPIC, self._mapper.encode(fact))])
            cursor.execute(
                _NOTE,
                {
                    "purge_id": purge_id,
                    "organization_id": organization_id,
                    "ids": [old.id for old in gone],
                    "candidates": [old.candidate_id for old in gone],
                },
            )
            for statement in (_DELETE_STREAMS, _DELETE_THREADS):
                cursor.execute(statement, (uuid_array(streams),))
            self._destroy_keys(cursor, gone)
            return PurgedEmails(emails=fact.emails, events=fact.events)

    def purge_reports(self, organization_id: UUID, now: datetime, *, most: int) -> int:
        with self._transaction() as cursor:
            _, before = self._time_of(cursor, organization_id, now)
            gone = 0
            for statement in (_DELETE_PARKED, _DELETE_WAITING):
                cursor.execute(statement, (organization_id, before, most))
                gone += cursor.rowcount
            return gone

    def tidy(self) -> None:
        with self._transaction() as cursor:
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (REBUILDING,))
            if _first(cursor):
                cursor.execute(_TIDY)

    @contextmanager
    def _transaction(self) -> Iterator[Cursor[Any]]:
        with (
            named_database_errors(),
            self._datastore.get_connection() as connection,
            connection.transaction(),
            connection.cursor(row_factory=tuple_row) as cursor,
        ):
            # What the machine forgets when it fails is purged once more.
            cursor.execute("SET LOCAL synchronous_commit = off")
            yield cursor

    def _time_of(self, cursor: Cursor[Any], organization_id: UUID, now: datetime) -> tuple[int, datetime]:
        tracking = PostgresTrackingRecords(cursor, self._recorder, self._mapper)
        days = tracking.policies([organization_id])[organization_id].retention_days
        return days, now - timedelta(days=days)

    def _keep_rebuilds_out(self, cursor: Cursor[Any]) -> None:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", (REBUILDING,))
        if not _first(cursor):
            raise PurgeWaitsError("a read model is being rebuilt: the purge goes on when that is done")

    def _as_many_as_fit(self, cursor: Cursor[Any], email_ids: Sequence[UUID]) -> dict[UUID, int]:
        """Give the first of the emails, each with the number of its facts.

        Raises:
            PurgeWaitsError: The engagement read model has not folded all of these, or an earlier purge.
        """
        cursor.execute(_FOLDED, (engagement.NAME,))
        position, last_purge = cursor.fetchone() or (0, 0)
        cursor.execute(_STREAMS, (uuid_array(email_ids),))
        streams: Mapping[UUID, tuple[int, int]] = {id_: (count, last) for id_, count, last in cursor}
        taken: dict[UUID, int] = {}
        newest = last_purge
        for email_id in email_ids:
            count, last = streams.get(email_id, (0, 0))
            if taken and sum(taken.values()) + count > MOST_EVENTS:
                break
            taken[email_id], newest = count, max(newest, last)
        if (position or 0) < newest:
            raise PurgeWaitsError("the read models are behind: the purge goes on when they have caught up")
        return taken

    def _destroy_keys(self, cursor: Cursor[Any], gone: Sequence[_Old]) -> None:
        cursor.execute(_NOT_FOLDED, (engagement.NAME, Sent.TOPIC))
        unfolded = {self._addressee_of(state) for (state,) in cursor}
        addressees = {old.addressee_id for old in gone} - unfolded
        cursor.execute(_DESTROY_KEYS, {"addressees": uuid_array(addressees), "gone": [old.id for old in gone]})

    def _addressee_of(self, state: bytes) -> UUID | None:
        fact = self._mapper.decode(Sent.TOPIC, state)
        return fact.addressee_id if isinstance(fact, Sent) else None

    def _purge_of(
        self, cursor: Cursor[Any], organization_id: UUID, now: datetime, streams: Mapping[UUID, int]
    ) -> EmailsPurged:
        registered = {}
        for place, state in self._recorder.first_events(cursor, list(streams)).values():
            sent = self._mapper.decode(Sent.TOPIC, state)
            if isinstance(sent, Sent):
                registered[place] = sent
        rows = PostgresEngagementView(cursor).emails(streams.keys()).values()
        return purge_of(organization_id, now, registered, rows, events=sum(streams.values()))


def _first(cursor: Cursor[Any]) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None
