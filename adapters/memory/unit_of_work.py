"""Transactions over a `MemoryStore`, for tests: nothing is seen by others, or happens at all, before the end."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import msgspec

from adapters.memory.address_sightings import MemoryAddressSightings
from adapters.memory.erasure_records import MemoryErasureRecords
from adapters.memory.mail_threads import MemoryMailThreads
from adapters.memory.parked_reports import MemoryParkedReports
from adapters.memory.store import MemoryStore
from adapters.memory.tracking_records import MemoryTrackingRecords
from application.ports.provider import ConfirmSubscription
from application.ports.unit_of_work import ConcurrentAppendError, Delivery, Registered, StoreUnavailableError
from domain.email_facts import Clicked, Opened, Recorded, Sent, addressee_of
from domain.email_message import EmailMessage
from read_models.events import LoggedFact


class MemoryUnitsOfWork:
    """See `application.ports.unit_of_work.UnitsOfWork`; nothing can be begun while `is_away`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.is_away = False

    @contextmanager
    def begin(self) -> Iterator["MemoryUnitOfWork"]:
        if self.is_away:
            raise StoreUnavailableError("the memory is away")
        unit = MemoryUnitOfWork(self._store)
        try:
            yield unit
            unit.commit()
        finally:
            unit.release()


class MemoryUnitOfWork:
    """See `application.ports.unit_of_work.UnitOfWork`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._changes: list[Callable[[], object]] = []
        self._held: set[tuple[str, int]] = set()
        self._appended: list[LoggedFact] = []
        self._appends = False
        self.tracking = MemoryTrackingRecords(store, self._append)
        self.sightings = MemoryAddressSightings(store)
        self.threads = MemoryMailThreads(store, self._changes.append)
        self.parked = MemoryParkedReports(store, self._hold, self._changes.append)
        self.erasure = MemoryErasureRecords(store, self._append, self._appended, self._changes.append)

    def commit(self) -> None:
        """Make everything happen."""
        for change in self._changes:
            change()

    def release(self) -> None:
        """Let others have what this transaction held."""
        self._store.held -= self._held
        self.tracking.release()
        if self._appends:
            self._store.appending.release()

    def _hold(self, kind: str, ids: Iterable[int], most: int) -> list[int]:
        taken = [id_ for id_ in ids if (kind, id_) not in self._store.held - self._held][:most]
        keys = {(kind, id_) for id_ in taken}
        self._held |= keys
        self._store.held |= keys
        return taken

    def claim_deliveries(self, *, most: int, most_bytes: int) -> list[Delivery]:
        now = self._store.clock()
        due = [id_ for id_, row in self._store.inbox.items() if not row.next_attempt_at or row.next_attempt_at <= now]
        claimed: list[Delivery] = []
        before = 0
        for id_ in self._hold("delivery", sorted(due), most):
            delivery = self._store.inbox[id_].delivery
            if before >= most_bytes:
                break
            claimed.append(delivery)
            before += len(delivery.body)
        return claimed

    def messages(self, email_ids: Sequence[UUID]) -> dict[UUID, EmailMessage]:
        messages = {email_id: EmailMessage(email_id) for email_id in email_ids}
        for email_id, message in messages.items():
            for fact in self._store.history_of(email_id):
                message.replay(fact)  # type: ignore[arg-type]  # streams of emails hold nothing else
        return messages

    def reveal(self, messages: Sequence[EmailMessage]) -> None:
        pass  # nothing is sealed in memory

    def identify(self, messages: Sequence[EmailMessage]) -> None:
        for message in messages:
            registered = self.registrations([message.id]).get(message.id)
            if registered is not None:
                erased_at = self.erasure.last_erasure(addressee_of(registered.sent)) or 0
                message.identify(None if erased_at > registered.email_log_id else registered.sent.personal)

    def homes_of_viewers(self, session_hashes: Collection[bytes]) -> Mapping[bytes, UUID]:
        return {one: self._store.sessions[one] for one in session_hashes if one in self._store.sessions}

    def hidden_addresses(self, places: Collection[int]) -> dict[int, str]:
        return {
            logged.place: logged.fact.personal.hidden_ip_address
            for logged in self._store.log
            if isinstance(logged, LoggedFact)
            and logged.place in places
            and isinstance(logged.fact, Opened | Clicked)
            and logged.fact.personal.hidden_ip_address
        }

    def append(self, messages: Sequence[EmailMessage]) -> int:
        events = [event for message in messages for event in message.collect_events()]
        self._append(events)
        return len(events)

    def _append(self, events: Sequence[Recorded]) -> None:
        if events and not self._appends:
            self._store.appending.acquire()
            self._appends = True
        for event in events:
            mine = sum(logged.stream_id == event.originator_id for logged in self._appended)
            if event.originator_version != len(self._store.history_of(event.originator_id)) + mine + 1:
                raise ConcurrentAppendError(f"version {event.originator_version} of {event.originator_id} exists")
            self._appended.append(LoggedFact(next(self._store.places), event.originator_id, event.fact))
        if events:
            appended = self._appended[-len(events) :]
            self._changes.append(lambda: self._store.keep(appended))

    def registrations(self, email_ids: Sequence[UUID]) -> dict[UUID, Registered]:
        found: dict[UUID, Registered] = {}
        committed = [logged for email_id in email_ids for logged in self._store.streams.get(email_id, [])[:1]]
        for logged in [*committed, *self._appended]:
            if logged.stream_id in email_ids and isinstance(logged.fact, Sent):
                found[logged.stream_id] = Registered(logged.place, logged.fact)
        return found

    def still_waiting(self, delivery_ids: Sequence[int]) -> set[int]:
        return {id_ for id_ in delivery_ids if id_ in self._store.inbox}

    def close_deliveries(self, delivery_ids: Sequence[int]) -> None:
        self._changes.extend(lambda id_=id_: self._store.inbox.pop(id_, None) for id_ in delivery_ids)  # type: ignore[misc]  # the default binds the loop's value

    def postpone_delivery(self, delivery_id: int, *, error: str, until: datetime) -> None:
        def postpone() -> None:
            if row := self._store.inbox.get(delivery_id):
                row.delivery = msgspec.structs.replace(row.delivery, attempts=row.delivery.attempts + 1)
                row.last_error, row.next_attempt_at = error, until

        self._changes.append(postpone)

    def request_confirmations(self, confirmations: Sequence[tuple[UUID, ConfirmSubscription]]) -> None:
        self._changes.append(lambda: self._store.confirmations.extend(confirmations))

    def count_outcomes(self, outcomes: Mapping[str, int]) -> None:
        self._changes.append(lambda: self._store.outcomes.update(outcomes))
