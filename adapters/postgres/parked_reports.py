"""Reports that wait for their email or for a person, in PostgreSQL, sealed."""

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

import msgspec
from psycopg import Cursor

from adapters.secrets import SecretBox
from application.ports.parked_reports import FailedReport, Orphan
from domain.commands import AnyReport, is_withheld
from domain.values import addressee_id_for

_ORPHAN_COLUMNS: Final = (
    "id, organization_id, endpoint_id, provider, email_id, report, sealed, delivery_id, received_at"
)
_FAILURE_COLUMNS: Final = (
    "id, organization_id, endpoint_id, provider, reason, message_id, headers, body, sealed, delivery_id, received_at"
)
_EMAIL_IS_KNOWN: Final = (
    "p.status = 'orphaned' AND EXISTS (SELECT FROM events.stored_events s"
    " WHERE s.originator_id = p.email_id AND s.originator_version = 1)"
)

PARKED_AT_ONCE: Final = 2_000

_encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode
_decode_report = msgspec.msgpack.Decoder(AnyReport).decode
_decode_headers = msgspec.msgpack.Decoder(dict[str, str]).decode


class PostgresParkedReports:
    """See `application.ports.parked_reports.ParkedReports`.

    Args:
        cursor: Of the transaction.
        bodies: Seals what providers sent.
    """

    def __init__(self, cursor: Cursor[Any], bodies: SecretBox) -> None:
        self._cursor = cursor
        self._bodies = bodies

    def park_orphans(self, orphans: Sequence[Orphan]) -> None:
        by_key = {(o.organization_id, o.report.key_for(o.email_id)): o for o in orphans}
        seen = Counter((o.organization_id, o.report.key_for(o.email_id)) for o in orphans)
        now = datetime.now(UTC)
        # In one order everywhere, so that workers wait for each other and never in a circle.
        self._park(
            "organization_id, fingerprint, endpoint_id, provider, status, reason, message_id, email_id, addressee_id,"
            " report, sealed, delivery_id, received_at, parked_at, times_seen",
            "%s::uuid[], %s::bytea[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::uuid[],"
            " %s::uuid[], %s::bytea[], %s::boolean[], %s::bigint[], %s::timestamptz[], %s::timestamptz[],"
            " %s::integer[]",
            [
                (
                    *key,
                    orphan.endpoint_id,
                    orphan.provider,
                    "orphaned",
                    "no registered email has this message id and recipient",
                    orphan.report.message_id,
                    orphan.email_id,
                    _addressee_id_of(orphan),
                    self._bodies.seal(_encode(orphan.report)),
                    True,
                    orphan.delivery_id,
                    orphan.received_at,
                    # In privacy mode nothing tells when somebody opened or clicked, this neither.
                    orphan.received_at if is_withheld(orphan.report) else now,
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
            " sealed, delivery_id, received_at, times_seen",
            "%s::uuid[], %s::bytea[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::bytea[],"
            " %s::bytea[], %s::boolean[], %s::bigint[], %s::timestamptz[], %s::integer[]",
            [
                (
                    *key,
                    failure.endpoint_id,
                    failure.provider,
                    "failed",
                    failure.reason,
                    failure.message_id,
                    _encode(failure.headers) if failure.is_kept else None,
                    self._bodies.seal(failure.body if failure.is_kept else b""),
                    True,
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

    def orphans_of(self, email_ids: Sequence[UUID]) -> list[Orphan]:
        self._cursor.execute(
            f"SELECT {_ORPHAN_COLUMNS} FROM ops.parked_reports"  # noqa: S608 - a constant of this module
            " WHERE status = 'orphaned' AND email_id = ANY(%s) ORDER BY id FOR UPDATE SKIP LOCKED",
            (list(email_ids),),
        )
        return [self._orphan(row) for row in self._cursor]

    def organizations_of_orphans(self, email_ids: Sequence[UUID]) -> set[UUID]:
        if not email_ids:
            return set()
        self._cursor.execute(
            "SELECT DISTINCT organization_id FROM ops.parked_reports WHERE status = 'orphaned' AND email_id = ANY(%s)",
            (list(email_ids),),
        )
        return {organization_id for (organization_id,) in self._cursor}

    def organizations_of_known_orphans(self, *, most: int) -> set[UUID]:
        self._cursor.execute(
            f"SELECT p.organization_id FROM ops.parked_reports p WHERE {_EMAIL_IS_KNOWN} ORDER BY id LIMIT %s",  # noqa: S608 - a constant of this module
            (most,),
        )
        return {organization_id for (organization_id,) in self._cursor}

    def orphans_whose_email_is_known(self, organization_ids: Collection[UUID], *, most: int) -> list[Orphan]:
        if not organization_ids:
            return []
        self._cursor.execute(
            f"SELECT {_ORPHAN_COLUMNS} FROM ops.parked_reports p WHERE {_EMAIL_IS_KNOWN}"  # noqa: S608 - constants of this module
            " AND p.organization_id = ANY(%s) ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED",
            (list(organization_ids), most),
        )
        return [self._orphan(row) for row in self._cursor]

    def report(self, organization_id: UUID, report_id: int) -> Orphan | FailedReport | None:
        of_organization = "FROM ops.parked_reports WHERE organization_id = %s AND id = %s AND status = "
        self._cursor.execute(
            f"SELECT {_ORPHAN_COLUMNS} {of_organization} 'orphaned' FOR UPDATE",
            (organization_id, report_id),
        )
        for row in self._cursor:
            return self._orphan(row)
        self._cursor.execute(
            f"SELECT {_FAILURE_COLUMNS} {of_organization} 'failed' FOR UPDATE",
            (organization_id, report_id),
        )
        for row in self._cursor:
            return self._failure(row)
        return None

    def forget(self, report_ids: Sequence[int]) -> None:
        self._cursor.execute("DELETE FROM ops.parked_reports WHERE id = ANY(%s)", (list(report_ids),))

    def _orphan(self, row: tuple[Any, ...]) -> Orphan:
        id_, organization_id, endpoint_id, provider, email_id, report, sealed, delivery_id, received_at = row
        return Orphan(
            id=id_,
            organization_id=organization_id,
            endpoint_id=endpoint_id,
            provider=provider,
            email_id=email_id,
            report=_decode_report(self._bodies.open(report) if sealed else report),
            delivery_id=delivery_id,
            received_at=received_at,
        )

    def _failure(self, row: tuple[Any, ...]) -> FailedReport:
        id_, organization_id, endpoint_id, provider, reason, message_id, headers, body, sealed, *rest = row
        delivery_id, received_at = rest
        return FailedReport(
            id=id_,
            organization_id=organization_id,
            endpoint_id=endpoint_id,
            provider=provider,
            reason=reason,
            message_id=message_id,
            headers={} if headers is None else _decode_headers(headers),
            body=self._bodies.open(body) if sealed else body,
            delivery_id=delivery_id,
            received_at=received_at,
            is_kept=headers is not None,
        )


def _addressee_id_of(orphan: Orphan) -> UUID | None:
    recipient = orphan.report.recipient
    return addressee_id_for(orphan.organization_id, recipient) if recipient else None


def _fingerprint(endpoint_id: UUID, body: bytes) -> bytes:
    return blake2b(body, digest_size=16, key=endpoint_id.bytes).digest()
