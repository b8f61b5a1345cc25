"""What there is to destroy when a person is erased, within a transaction."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor

from adapters.postgres.event_codec import FactMapper
from adapters.postgres.event_recorder import BatchRecorder
from adapters.secrets import SealBrokenError, SecretBox
from domain.recipient import Recipient
from domain.recipient_facts import Erased

BYTES_AT_ONCE: Final = 4_000_000
_NEXT_FAILURES: Final = """
WITH next AS MATERIALIZED (
    SELECT id, octet_length(body) AS size FROM ops.parked_reports
    WHERE organization_id = %s AND status = 'failed' AND id > %s ORDER BY id LIMIT %s
), measured AS (
    SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM next
)
SELECT p.id, p.body, p.sealed FROM measured m JOIN ops.parked_reports p USING (id) WHERE m.before < %s ORDER BY p.id
"""
_FORGET_BY_EMAIL: Final = """
DELETE FROM ops.parked_reports p USING email_logs e
WHERE p.organization_id = %(organization_id)s AND p.status = 'failed' AND p.message_id = e.message_id
    AND e.organization_id = p.organization_id AND e.addressee_id = %(addressee_id)s
"""


class PostgresErasureRecords:
    """See `application.ports.erasure.ErasureRecords`."""

    def __init__(self, cursor: Cursor[Any], recorder: BatchRecorder, mapper: FactMapper, bodies: SecretBox) -> None:
        self._cursor = cursor
        self._recorder = recorder
        self._mapper = mapper
        self._bodies = bodies

    def destroy_key(self, addressee_id: UUID) -> bool:
        self._cursor.execute("DELETE FROM ops.recipient_keys WHERE addressee_id = %s", (addressee_id,))
        return self._cursor.rowcount > 0

    def keep(self, recipient: Recipient) -> None:
        self._recorder.append(
            self._cursor,
            [
                (event.originator_id, event.originator_version, event.fact.TOPIC, self._mapper.encode(event.fact))
                for event in recipient.collect_events()
            ],
        )

    def last_erasure(self, addressee_id: UUID) -> int | None:
        self._cursor.execute(
            "SELECT max(notification_id) FROM events.stored_events WHERE originator_id = %s AND topic = %s",
            (addressee_id, Erased.TOPIC),
        )
        row = self._cursor.fetchone()
        return row[0] if row else None

    def newest_waiting(self, organization_id: UUID) -> int:
        self._cursor.execute(
            "SELECT coalesce(max(id), 0) FROM ops.webhook_inbox WHERE organization_id = %s", (organization_id,)
        )
        ((newest,),) = self._cursor.fetchall()
        return int(newest)

    def is_waiting(self, organization_id: UUID, *, until: int) -> bool:
        self._cursor.execute(
            "SELECT FROM ops.webhook_inbox WHERE organization_id = %s AND id <= %s LIMIT 1", (organization_id, until)
        )
        return self._cursor.rowcount > 0

    def forget_failures_by_email(self, organization_id: UUID, addressee_id: UUID) -> None:
        self._cursor.execute(_FORGET_BY_EMAIL, {"organization_id": organization_id, "addressee_id": addressee_id})

    def forget_orphans(self, addressee_id: UUID) -> None:
        self._cursor.execute("DELETE FROM ops.parked_reports WHERE addressee_id = %s", (addressee_id,))

    def forget_failures(
        self, organization_id: UUID, is_about: Callable[[bytes], bool], *, after: int, most: int
    ) -> int | None:
        self._cursor.execute(_NEXT_FAILURES, (organization_id, after, most, BYTES_AT_ONCE), binary=True)
        rows = self._cursor.fetchall()
        about = [id_ for id_, body, sealed in rows if self._may_be(is_about, body, sealed=sealed)]
        if about:
            self._cursor.execute("DELETE FROM ops.parked_reports WHERE id = ANY(%s)", (about,))
        return rows[-1][0] if rows else None

    def _may_be(self, is_about: Callable[[bytes], bool], body: bytes, *, sealed: bool) -> bool:
        if not sealed:
            return is_about(body)
        try:
            return is_about(self._bodies.open(body))
        except SealBrokenError:
            # Its key was taken away: whoever finds that again finds everybody in there.
            return True
