"""Read and change what somebody said about being tracked."""

from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork, UnitsOfWork
from application.transactions import in_transaction
from domain.recipient import Recipient
from domain.tracking_terms import Consent, ConsentSource, TrackingPolicy
from domain.values import addressee_id_for, normalise_address

PRESUMED: Final = "default"


class ConsentView(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for somebody.

    Attributes:
        consent: Theirs; of somebody who never said anything, what the organisation's consent mode presumes.
        source: ``api``, ``unsubscribe``, or ``default`` if they never said anything.
        since: When it became known; ``None`` for the default.
    """

    consent: Consent
    source: str
    since: datetime | None


class TrackingConsents:
    """Tells and changes people's consent, whether or not anything was ever sent to them.

    Args:
        units: Begins transactions.
        clock: Gives aware UTC.

    Source:
        BR-558.1 Tracking consent.
    """

    def __init__(self, units: UnitsOfWork, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    def of(self, organization_id: UUID, address: str) -> ConsentView:
        """Give the consent that holds.

        Raises:
            InvalidAddressError: The text holds no address.
            StoreUnavailableError: It cannot be told now.
        """
        addressee_id = addressee_id_for(organization_id, normalise_address(address))
        with self._units.begin() as unit:
            recipient = unit.tracking.recipients([addressee_id])[addressee_id]
            policy = unit.tracking.organization(organization_id).policy
        return _view(recipient, policy)

    def change(self, organization_id: UUID, address: str, consent: Consent, *, changed_by: str) -> ConsentView:
        """Keep what somebody said; once this returns, nothing is recorded against it, in no process.

        Args:
            organization_id: Whom they said it to.
            address: Theirs, in any spelling that `normalise_address` understands.
            consent: Their will; it holds until they say something else.
            changed_by: Id of the API key or user who tells.

        Raises:
            InvalidAddressError: The text holds no address.
            StoreUnavailableError: Nothing was changed; ask again.
        """
        addressee_id = addressee_id_for(organization_id, normalise_address(address))

        def change(unit: UnitOfWork) -> ConsentView:
            unit.tracking.stop_recording(organization_id)
            policy = unit.tracking.organization(organization_id).policy
            recipient = unit.tracking.recipients([addressee_id])[addressee_id]
            if recipient.change_consent(
                consent,
                organization_id=organization_id,
                changed_at=self._clock(),
                source=ConsentSource.API,
                changed_by=changed_by,
            ):
                unit.tracking.keep_consents([recipient])
            return _view(recipient, policy)

        return in_transaction(self._units, change)


def _view(recipient: Recipient, policy: TrackingPolicy) -> ConsentView:
    return ConsentView(
        consent=recipient.consent or policy.presumed_consent,
        source=recipient.consent_source or PRESUMED,
        since=recipient.consent_changed_at,
    )
