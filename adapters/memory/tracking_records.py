"""Policies and consents in memory, for tests; who would have to wait for another transaction is told at once."""

from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from adapters.memory.store import MemoryStore
from application.ports.unit_of_work import StoreUnavailableError
from domain.email_facts import Recorded
from domain.organization import Organization
from domain.recipient import Recipient
from domain.tracking_terms import Consent, TrackingPolicy


class MemoryTrackingRecords:
    """See `application.ports.tracking_records.TrackingRecords`.

    Args:
        store: Holds the events, and who has which organisation.
        append: Appends to the transaction.
    """

    def __init__(self, store: MemoryStore, append: Callable[[Sequence[Recorded]], None]) -> None:
        self._store = store
        self._append = append
        self._shared: list[UUID] = []
        self._alone: set[UUID] = set()

    def policies(self, organization_ids: Collection[UUID]) -> dict[UUID, TrackingPolicy]:
        if (self._store.had_alone - self._alone).intersection(organization_ids):
            raise StoreUnavailableError("somebody has one of the organisations alone")
        self._shared += organization_ids
        self._store.recording.update(organization_ids)
        return {organization_id: self.organization(organization_id).policy for organization_id in organization_ids}

    def consents(self, addressee_ids: Collection[UUID]) -> dict[UUID, Consent]:
        recipients = self.recipients(addressee_ids).values()
        return {recipient.id: recipient.consent for recipient in recipients if recipient.consent is not None}

    def stop_recording(self, organization_id: UUID) -> None:
        others = self._store.recording[organization_id] - self._shared.count(organization_id)
        if others or organization_id in self._store.had_alone - self._alone:
            raise StoreUnavailableError("somebody records for the organisation")
        self._alone.add(organization_id)
        self._store.had_alone.add(organization_id)

    def organization(self, organization_id: UUID) -> Organization:
        organization = Organization(organization_id)
        for fact in self._store.history_of(organization_id):
            organization.replay(fact)
        return organization

    def recipients(self, addressee_ids: Collection[UUID]) -> dict[UUID, Recipient]:
        recipients = {addressee_id: Recipient(addressee_id) for addressee_id in addressee_ids}
        for addressee_id, recipient in recipients.items():
            for fact in self._store.history_of(addressee_id):
                recipient.replay(fact)
        return recipients

    def keep_policy(self, organization: Organization) -> None:
        self._append(organization.collect_events())

    def keep_consents(self, recipients: Sequence[Recipient]) -> None:
        self._append([event for recipient in recipients for event in recipient.collect_events()])

    def release(self) -> None:
        """Let others have what this transaction held."""
        self._store.recording.subtract(self._shared)
        self._store.had_alone -= self._alone
