"""What the database keeps for the write side, in memory, for tests: inbox, event store, parked reports."""

from collections import Counter
from collections.abc import Collection, Container, Mapping, Sequence
from datetime import datetime
from itertools import count
from threading import RLock
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.mail_threads import WaitingMail
from application.ports.parked_reports import FailedReport, Orphan
from application.ports.provider import ConfirmSubscription
from application.ports.unit_of_work import Delivery
from domain.email_facts import AnyFact
from domain.mail_threads import Thread
from read_models.events import LoggedFact, UnreadableEvent


class Waiting(msgspec.Struct):
    """A row of the inbox."""

    delivery: Delivery
    next_attempt_at: datetime | None = None
    last_error: str = ""


class Parked(msgspec.Struct):
    """A row of the parked reports."""

    report: Orphan | FailedReport
    identity: tuple[object, ...]
    times_seen: int = 1

    @property
    def status(self) -> str:
        """How PostgreSQL's column names it."""
        return "orphaned" if isinstance(self.report, Orphan) else "failed"


class MemoryStore:
    """Everything that is committed; `MemoryUnitsOfWork` and `MemoryEventLog` read and change it.

    Args:
        clock: Says which deliveries are due.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.inbox: dict[int, Waiting] = {}
        self.streams: dict[UUID, list[LoggedFact]] = {}
        self.log: list[LoggedFact | UnreadableEvent] = []
        self.parked: dict[int, Parked] = {}
        self.confirmations: list[tuple[UUID, ConfirmSubscription]] = []
        self.outcomes: Counter[str] = Counter()
        self.threads: set[Thread] = set()
        self.waiting_mails: dict[UUID, WaitingMail] = {}
        self.held: set[tuple[str, int]] = set()
        self.sightings: dict[tuple[UUID, str], list[tuple[datetime, bytes]]] = {}
        self.sessions: dict[bytes, UUID] = {}
        self.recording: Counter[UUID] = Counter()
        self.had_alone: set[UUID] = set()
        self.appending = RLock()
        self.places = count(1)
        self._ids = count(1)

    def receive(
        self,
        *,
        endpoint_id: UUID,
        organization_id: UUID,
        provider: str,
        headers: Mapping[str, str],
        body: bytes,
        received_at: datetime,
    ) -> int:
        """Keep a delivery as the edge would.

        Returns:
            Its number.
        """
        delivery = Delivery(
            id=self.next_id(),
            endpoint_id=endpoint_id,
            organization_id=organization_id,
            provider=provider,
            correlation_id="",
            received_at=received_at,
            attempts=0,
            headers=dict(headers),
            body=body,
        )
        self.inbox[delivery.id] = Waiting(delivery)
        return delivery.id

    def next_id(self) -> int:
        """Give a number that no row has."""
        return next(self._ids)

    def keep(self, facts: Sequence[LoggedFact]) -> None:
        """Commit appended facts."""
        for logged in facts:
            self.streams.setdefault(logged.stream_id, []).append(logged)
        self.log.extend(facts)

    def history_of(self, email_id: UUID) -> list[AnyFact]:
        """Give an email's facts in the order of its stream."""
        return [logged.fact for logged in self.streams.get(email_id, [])]


class MemoryEventLog:
    """See `read_models.events.EventLog`.

    Args:
        store: Holds the events.
        set_aside: Places that were set aside.
    """

    def __init__(self, store: MemoryStore, set_aside: Container[int] = ()) -> None:
        self._store = store
        self._set_aside = set_aside

    def after(self, position: int, *, most: int) -> Sequence[LoggedFact | UnreadableEvent]:
        return [logged for logged in self._store.log if logged.place > position][:most]

    def streams(self, ids: Collection[UUID], *, until: int) -> Sequence[LoggedFact]:
        return [
            logged
            for id_ in ids
            for logged in self._store.streams.get(id_, [])
            if logged.place <= until and logged.place not in self._set_aside
        ]

    def registrations(self, ids: Collection[UUID]) -> Mapping[UUID, LoggedFact]:
        return {id_: self._store.streams[id_][0] for id_ in ids if id_ in self._store.streams}

    def lengths(self, ids: Collection[UUID]) -> Mapping[UUID, int]:
        return {id_: len(self._store.streams[id_]) for id_ in ids if id_ in self._store.streams}
