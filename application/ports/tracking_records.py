"""What organisations and recipients decided about tracking, within a transaction, and who may change it when.

Whoever records for an organisation shares it; whoever changes what may be recorded has it alone. So a change that was
answered holds for everything that is recorded from then on, in every process, in the middle of a batch too.
"""

from collections.abc import Collection, Sequence
from typing import Protocol
from uuid import UUID

from domain.organization import Organization
from domain.recipient import Recipient
from domain.tracking_terms import Consent, TrackingPolicy


class TrackingRecords(Protocol):
    """Policies and consents, as part of a unit of work.

    `policies` and `stop_recording` wait for each other until the other transaction ends: call either before anything
    else is read or held that the other side may want.
    """

    def policies(self, organization_ids: Collection[UUID]) -> dict[UUID, TrackingPolicy]:
        """Give the policy of each organisation; neither it nor any recipient's consent changes before we end.

        Raises:
            StoreUnavailableError: Somebody has one of them alone for too long.
        """
        ...

    def consents(self, addressee_ids: Collection[UUID]) -> dict[UUID, Consent]:
        """Give what people said; who never said anything is not among them. To be asked after `policies`."""
        ...

    def stop_recording(self, organization_id: UUID) -> None:
        """Have an organisation alone: nobody records for it before we end.

        For changes of policy and consent, for erasure and for purging. One organisation in a transaction, not more.

        Raises:
            StoreUnavailableError: Somebody records for too long.
        """
        ...

    def organization(self, organization_id: UUID) -> Organization:
        """Give an organisation with its whole history."""
        ...

    def recipients(self, addressee_ids: Collection[UUID]) -> dict[UUID, Recipient]:
        """Give people with their whole history; about whom nothing is known has none."""
        ...

    def keep_policy(self, organization: Organization) -> None:
        """Append what an organisation decided.

        Raises:
            ConcurrentAppendError: Somebody else was quicker.
        """
        ...

    def keep_consents(self, recipients: Sequence[Recipient]) -> None:
        """Append what people said.

        Raises:
            ConcurrentAppendError: Somebody else was quicker.
        """
        ...
