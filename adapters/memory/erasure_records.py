"""What there is to destroy when a person is erased, in memory, for tests: nothing is sealed, so nothing is unsealed."""

from collections.abc import Callable, Sequence
from uuid import UUID

from adapters.memory.store import MemoryStore
from application.ports.parked_reports import FailedReport, Orphan
from domain.email_facts import Recorded, Sent, addressee_of
from domain.recipient import Recipient
from domain.recipient_facts import Erased
from domain.values import addressee_id_for
from read_models.events import LoggedFact


class MemoryErasureRecords:
    """See `application.ports.erasure.ErasureRecords`; somebody has a key as long as an email to them is not erased.

    Args:
        store: Holds the events and the parked reports.
        append: Appends to the transaction.
        appended: What the transaction has appended so far.
        later: Takes what is to be done when the transaction ends.
    """

    def __init__(
        self,
        store: MemoryStore,
        append: Callable[[Sequence[Recorded]], None],
        appended: Sequence[LoggedFact],
        later: Callable[[Callable[[], object]], None],
    ) -> None:
        self._store = store
        self._append = append
        self._appended = appended
        self._later = later

    def destroy_key(self, addressee_id: UUID) -> bool:
        erased_at = self.last_erasure(addressee_id) or 0
        return any(
            isinstance(logged, LoggedFact)
            and logged.place > erased_at
            and isinstance(logged.fact, Sent)
            and addressee_id_for(logged.fact.organization_id, logged.fact.personal.address) == addressee_id
            for logged in self._store.log
        )

    def keep(self, recipient: Recipient) -> None:
        self._append(recipient.collect_events())

    def last_erasure(self, addressee_id: UUID) -> int | None:
        known = [*self._store.streams.get(addressee_id, ()), *self._appended]
        places = [
            logged.place for logged in known if logged.stream_id == addressee_id and isinstance(logged.fact, Erased)
        ]
        return max(places, default=None)

    def newest_waiting(self, organization_id: UUID) -> int:
        return max(self._waiting(organization_id), default=0)

    def is_waiting(self, organization_id: UUID, *, until: int) -> bool:
        return min(self._waiting(organization_id), default=until + 1) <= until

    def _waiting(self, organization_id: UUID) -> list[int]:
        return [id_ for id_, row in self._store.inbox.items() if row.delivery.organization_id == organization_id]

    def forget_failures_by_email(self, organization_id: UUID, addressee_id: UUID) -> None:
        message_ids = {
            logged.fact.message_id
            for logged in self._store.log
            if isinstance(logged, LoggedFact)
            and isinstance(logged.fact, Sent)
            and logged.fact.organization_id == organization_id
            and addressee_of(logged.fact) == addressee_id
        }
        self._forget(
            [
                id_
                for id_, row in self._store.parked.items()
                if isinstance(row.report, FailedReport)
                and row.report.organization_id == organization_id
                and row.report.message_id in message_ids
            ]
        )

    def forget_orphans(self, addressee_id: UUID) -> None:
        self._forget(
            [
                id_
                for id_, row in self._store.parked.items()
                if isinstance(row.report, Orphan)
                and addressee_id_for(row.report.organization_id, row.report.report.recipient) == addressee_id
            ]
        )

    def forget_failures(
        self, organization_id: UUID, is_about: Callable[[bytes], bool], *, after: int, most: int
    ) -> int | None:
        failures = {
            id_: row.report
            for id_, row in sorted(self._store.parked.items())
            if id_ > after and isinstance(row.report, FailedReport) and row.report.organization_id == organization_id
        }
        looked_at = list(failures)[:most]
        self._forget([id_ for id_ in looked_at if is_about(failures[id_].body)])
        return looked_at[-1] if looked_at else None

    def _forget(self, ids: Sequence[int]) -> None:
        for id_ in ids:
            self._later(lambda id_=id_: self._store.parked.pop(id_, None))  # type: ignore[misc]  # the default binds the loop's value
