"""Each storage of the write side behind the same few questions, so that one suite holds for all of them."""

import msgspec

from adapters.memory.store import MemoryStore
from adapters.memory.unit_of_work import MemoryUnitsOfWork
from adapters.postgres.confirmations import PostgresConfirmations
from domain.email_message import EmailMessage
from tests.support.core import ENDPOINT
from tests.support.emails import ACME, NOON, email_id, sent


class Storage:
    """What the suite asks of a storage besides the port.

    Attributes:
        units: Begins transactions.
    """

    def register(self, message_id="m-1", **told):
        message = EmailMessage(email_id(message_id))
        message.register(sent(message_id, **told))
        with self.units.begin() as unit:
            unit.append([message])
        return message.id

    def record(self, *reports, message_id="m-1"):
        with self.units.begin() as unit:
            [message] = unit.messages([email_id(message_id)]).values()
            for report in reports:
                message.record(report, received_at=NOON)
            return unit.append([message])

    def history(self, message_id="m-1"):
        with self.units.begin() as unit:
            return unit.messages([email_id(message_id)])[email_id(message_id)]


class MemoryStorage(Storage):
    def __init__(self):
        self.now = NOON
        self.store = MemoryStore(lambda: self.now)
        self.units = MemoryUnitsOfWork(self.store)

    def receive(self, body=b"[]"):
        return self.store.receive(
            endpoint_id=ENDPOINT,
            organization_id=ACME,
            provider="email",
            headers={"webhook-id": "w-1"},
            body=body,
            received_at=NOON,
        )

    def inbox(self):
        return {id_: (row.delivery.attempts, row.last_error) for id_, row in self.store.inbox.items()}

    def parked(self):
        return [(row.status, row.report.reason, row.times_seen) for row in self._parked("failed")] + [
            (row.status, "", row.times_seen) for row in self._parked("orphaned")
        ]

    def _parked(self, status):
        return [row for _, row in sorted(self.store.parked.items()) if row.status == status]

    def parked_ids(self):
        return sorted(self.store.parked)

    def outcomes(self):
        return dict(self.store.outcomes)

    def confirmations(self):
        return [(endpoint_id, confirmation.url) for endpoint_id, confirmation in self.store.confirmations]


class PostgresStorage(Storage):
    def __init__(self, core):
        self._core = core
        self.units = core.units

    def receive(self, body=b"[]"):
        id_ = self._core.receive(body=body)
        self._core.execute(
            "UPDATE ops.webhook_inbox SET headers = %s WHERE id = %s",
            msgspec.msgpack.encode({"webhook-id": "w-1"}),
            id_,
        )
        return id_

    def inbox(self):
        rows = self._core.query("SELECT id, attempts, coalesce(last_error, '') FROM ops.webhook_inbox ORDER BY id")
        return {id_: (attempts, error) for id_, attempts, error in rows}

    def parked(self):
        return self._core.query(
            "SELECT status, CASE status WHEN 'failed' THEN reason ELSE '' END, times_seen FROM ops.parked_reports"
            " ORDER BY status, id"
        )

    def parked_ids(self):
        return [id_ for (id_,) in self._core.query("SELECT id FROM ops.parked_reports ORDER BY id")]

    def outcomes(self):
        return dict(self._core.query("SELECT outcome, reports FROM ops.report_outcomes"))

    def confirmations(self):
        due = PostgresConfirmations(self._core.backend._datastore).due(NOON.replace(year=9000))
        return [(confirmation.endpoint_id, confirmation.url) for confirmation in due]


STORAGES = {
    "memory": lambda _: MemoryStorage(),
    "postgres": lambda request: PostgresStorage(request.getfixturevalue("core")),
}
