"""One PostgreSQL transaction over inbox, event store and parked reports."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import msgspec
import psycopg
from eventsourcing.persistence import IntegrityError, InterfaceError, OperationalError
from eventsourcing.postgres import PostgresDatastore
from psycopg import Cursor
from psycopg.rows import tuple_row
from psycopg_pool import PoolTimeout

from adapters.postgres.event_codec import FactMapper
from adapters.postgres.event_recorder import BatchRecorder
from adapters.postgres.outages import is_outage
from application.ports.provider import ConfirmSubscription
from application.ports.unit_of_work import (
    ConcurrentAppendError,
    Delivery,
    FailedReport,
    Orphan,
    Registered,
    StoreUnavailableError,
)
from domain.commands import AnyReport
from domain.email_facts import Sent
from domain.email_message import EmailMessage

_CLAIM: Final = """
WITH due AS MATERIALIZED (
    SELECT id, octet_length(body) AS size FROM ops.webhook_inbox
    WHERE next_attempt_at <= now() ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
), measured AS (
    SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM due
)
SELECT i.id, i.endpoint_id, i.organization_id, i.provider, i.correlation_id, i.received_at, i.attempts,
    i.headers, i.body
FROM measured m JOIN ops.webhook_inbox i USING (id) WHERE m.before < %s ORDER BY i.id
"""
_ORPHAN_COLUMNS: Final = "id, organization_id, endpoint_id, provider, email_id, report, delivery_id, received_at"
_FAILURE_COLUMNS: Final = (
    "id, organization_id, endpoint_id, provider, reason, message_id, headers, body, delivery_id, received_at"
)

PARKED_AT_ONCE: Final = 2_000

_encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode
_decode_report = msgspec.msgpack.Decoder(AnyReport).decode
_decode_headers = msgspec.msgpack.Decoder(dict[str, str]).decode


class PostgresUnitsOfWork:
    """Begins transactions on the library's datastore.

    Args:
        datastore: From `open_datastore`.
        recorder: On the same datastore.
        mapper: For the facts.
    """

    def __init__(self, datastore: PostgresDatastore, recorder: BatchRecorder, mapper: FactMapper) -> None:
        self._datastore = datastore
        self._recorder = recorder
        self._mapper = mapper

    @contextmanager
    def begin(self) -> Iterator["PostgresUnitOfWork"]:
        """Begin one; see the port."""
        try:
            with (
                self._datastore.get_connection() as connection,
                connection.transaction(),
                connection.cursor(row_factory=tuple_row) as cursor,
            ):
                yield PostgresUnitOfWork(cursor, self._recorder, self._mapper)
        except IntegrityError as error:
            if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
                raise ConcurrentAppendError(str(error)) from error
            raise
        except (OperationalError, InterfaceError, PoolTimeout) as error:
            if not is_outage(error):
                raise
            raise StoreUnavailableError(str(error)) from error


class PostgresUnitOfWork:
    """See `application.ports.unit_of_work.UnitOfWork`."""

    def __init__(self, cursor: Cursor[Any], recorder: BatchRecorder, mapper: FactMapper) -> None:
        self._cursor = cursor
        self._recorder = recorder
        self._mapper = mapper

    def claim_deliveries(self, *, most: int, most_bytes: int) -> list[Delivery]:
        self._cursor.execute(_CLAIM, (most, most_bytes), binary=True)
        return [
            Delivery(
                id=id_,
                endpoint_id=endpoint_id,
                organization_id=organization_id,
                provider=provider,
                correlation_id=correlation_id,
                received_at=received_at,
                attempts=attempts,
                headers=_decode_headers(headers),
                body=body,
            )
            for id_, endpoint_id, organization_id, provider, correlation_id, received_at, attempts, headers, body in (
                self._cursor.fetchall()
            )
        ]

    def messages(self, email_ids: Sequence[UUID]) -> dict[UUID, EmailMessage]:
        messages = {email_id: EmailMessage(email_id) for email_id in email_ids}
        if messages:
            decode = self._mapper.decode
            for email_id, _, topic, state in self._recorder.streams(self._cursor, email_ids):
                messages[email_id].replay(decode(topic, state))
        return messages

    def append(self, messages: Sequence[EmailMessage]) -> int:
        encode = self._mapper.encode
        rows = [
            (event.originator_id, event.originator_version, event.fact.TOPIC, encode(event.fact))
            for message in messages
            for event in message.collect_events()
        ]
        if rows:
            self._recorder.append(self._cursor, rows)
        return len(rows)

    def registrations(self, email_ids: Sequence[UUID]) -> dict[UUID, Registered]:
        found: dict[UUID, Registered] = {}
        for email_id, (place, state) in self._recorder.first_events(self._cursor, email_ids).items():
            sent = self._mapper.decode(Sent.TOPIC, state)
            if isinstance(sent, Sent):
                found[email_id] = Registered(place, sent)
        return found

    def still_waiting(self, delivery_ids: Sequence[int]) -> set[int]:
        self._cursor.execute(
            "SELECT id FROM ops.webhook_inbox WHERE id = ANY(%s) FOR UPDATE SKIP LOCKED", (list(delivery_ids),)
        )
        return {id_ for (id_,) in self._cursor.fetchall()}

    def close_deliveries(self, delivery_ids: Sequence[int]) -> None:
        if delivery_ids:
            # Should the machine fail before this commit reaches the disk, the deliveries, which did, are still in the
            # inbox and none of their events in the store: they are drained again. So nothing waits for the disk.
            self._cursor.execute("SET LOCAL synchronous_commit = off")
            self._cursor.execute("DELETE FROM ops.webhook_inbox WHERE id = ANY(%s)", (list(delivery_ids),))

    def postpone_delivery(self, delivery_id: int, *, error: str, until: datetime) -> None:
        self._cursor.execute(
            "UPDATE ops.webhook_inbox SET attempts = attempts + 1, last_error = %s, next_attempt_at = %s WHERE id = %s",
            (error, until, delivery_id),
        )

    def park_orphans(self, orphans: Sequence[Orphan]) -> None:
        by_key = {(o.organization_id, o.report.key_for(o.email_id)): o for o in orphans}
        seen = Counter((o.organization_id, o.report.key_for(o.email_id)) for o in orphans)
        # In one order everywhere, so that workers wait for each other and never in a circle.
        self._park(
            "organization_id, fingerprint, endpoint_id, provider, status, reason, message_id, email_id, report,"
            " delivery_id, received_at, times_seen",
            "%s::uuid[], %s::bytea[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::uuid[],"
            " %s::bytea[], %s::bigint[], %s::timestamptz[], %s::integer[]",
            [
                (
                    *key,
                    orphan.endpoint_id,
                    orphan.provider,
                    "orphaned",
                    "no registered email has this message id and recipient",
                    orphan.report.message_id,
                    orphan.email_id,
                    _encode(orphan.report),
                    orphan.delivery_id,
                    orphan.received_at,
                    seen[key],
                )
                for key, orphan in sorted(by_key.items(), key=lambda item: item[0])
            ],
        )

    def park_failures(self, failures: Sequence[FailedReport]) -> None:
        fingerprint = cache(_fingerprint)  # the body of a whole delivery may stand in each of its failures
        prints = [(f.organization_id, fingerprint(f.endpoint_id, f.body)) for f in failures]
        by_print = dict(zip(prints, failures, strict=True))
        seen = Counter(prints)
        self._park(
            "organization_id, fingerprint, endpoint_id, provider, status, reason, message_id, headers, body,"
            " delivery_id, received_at, times_seen",
            "%s::uuid[], %s::bytea[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bytea[],"
            " %s::bytea[], %s::bigint[], %s::timestamptz[], %s::integer[]",
            [
                (
                    *key,
                    failure.endpoint_id,
                    failure.provider,
                    "failed",
                    failure.reason,
                    failure.message_id,
                    _encode(failure.headers),
                    failure.body,
                    failure.delivery_id,
                    failure.received_at,
                    seen[key],
                )
                for key, failure in sorted(by_print.items(), key=lambda item: item[0])
            ],
        )

    def _park(self, columns: str, arrays: str, rows: Sequence[tuple[Any, ...]]) -> None:
        for start in range(0, len(rows), PARKED_AT_ONCE):
            chunk = rows[start : start + PARKED_AT_ONCE]
            self._cursor.execute(
                f"INSERT INTO ops.parked_reports AS p ({columns}) SELECT * FROM unnest({arrays})"  # noqa: S608 - constants of this module
                " ON CONFLICT (organization_id, status, fingerprint)"
                " DO UPDATE SET times_seen = p.times_seen + excluded.times_seen, reason = excluded.reason",
                [list(column) for column in zip(*chunk, strict=True)],
                binary=True,
            )

    def request_confirmations(self, confirmations: Sequence[tuple[UUID, ConfirmSubscription]]) -> None:
        self._cursor.executemany(
            "INSERT INTO ops.subscription_confirmations (endpoint_id, url) VALUES (%s, %s)",
            [(endpoint_id, confirmation.url) for endpoint_id, confirmation in confirmations],
        )

    def count_outcomes(self, outcomes: Mapping[str, int]) -> None:
        if outcomes:
            self._cursor.execute(
                "INSERT INTO ops.report_outcomes AS o (outcome, reports) SELECT * FROM unnest(%s::text[], %s::bigint[])"
                " ON CONFLICT (outcome) DO UPDATE SET reports = o.reports + excluded.reports",
                (sorted(outcomes), [outcomes[outcome] for outcome in sorted(outcomes)]),
            )

    def orphans_of(self, email_ids: Sequence[UUID]) -> list[Orphan]:
        self._cursor.execute(
            f"SELECT {_ORPHAN_COLUMNS} FROM ops.parked_reports"  # noqa: S608 - a constant of this module
            " WHERE status = 'orphaned' AND email_id = ANY(%s) ORDER BY id FOR UPDATE SKIP LOCKED",
            (list(email_ids),),
        )
        return [_orphan(row) for row in self._cursor]

    def orphans_whose_email_is_known(self, *, most: int) -> list[Orphan]:
        self._cursor.execute(
            f"SELECT {_ORPHAN_COLUMNS} FROM ops.parked_reports p"  # noqa: S608 - a constant of this module
            " WHERE status = 'orphaned' AND EXISTS (SELECT FROM events.stored_events s"
            " WHERE s.originator_id = p.email_id AND s.originator_version = 1)"
            " ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
            (most,),
        )
        return [_orphan(row) for row in self._cursor]

    def parked(self, organization_id: UUID, report_id: int) -> Orphan | FailedReport | None:
        of_organization = "FROM ops.parked_reports WHERE organization_id = %s AND id = %s AND status = "
        self._cursor.execute(
            f"SELECT {_ORPHAN_COLUMNS} {of_organization} 'orphaned' FOR UPDATE",
            (organization_id, report_id),
        )
        for row in self._cursor:
            return _orphan(row)
        self._cursor.execute(
            f"SELECT {_FAILURE_COLUMNS} {of_organization} 'failed' FOR UPDATE",
            (organization_id, report_id),
        )
        for row in self._cursor:
            return _failure(row)
        return None

    def unpark(self, report_ids: Sequence[int]) -> None:
        self._cursor.execute("DELETE FROM ops.parked_reports WHERE id = ANY(%s)", (list(report_ids),))


def _fingerprint(endpoint_id: UUID, body: bytes) -> bytes:
    return blake2b(body, digest_size=16, key=endpoint_id.bytes).digest()


def _orphan(row: tuple[Any, ...]) -> Orphan:
    id_, organization_id, endpoint_id, provider, email_id, report, delivery_id, received_at = row
    return Orphan(
        id=id_,
        organization_id=organization_id,
        endpoint_id=endpoint_id,
        provider=provider,
        email_id=email_id,
        report=_decode_report(report),
        delivery_id=delivery_id,
        received_at=received_at,
    )


def _failure(row: tuple[Any, ...]) -> FailedReport:
    id_, organization_id, endpoint_id, provider, reason, message_id, headers, body, delivery_id, received_at = row
    kept: Mapping[str, str] = _decode_headers(headers)
    return FailedReport(
        id=id_,
        organization_id=organization_id,
        endpoint_id=endpoint_id,
        provider=provider,
        reason=reason,
        message_id=message_id,
        headers=kept,
        body=body,
        delivery_id=delivery_id,
        received_at=received_at,
    )
