"""Erase somebody: what was recorded keeps counting and never tells again who it was."""

import logging
from typing import Final
from uuid import UUID

from application.ports.clock import Clock
from application.ports.erasure import ReadModelsProgress
from application.ports.unit_of_work import UnitOfWork, UnitsOfWork
from application.transactions import in_transaction
from domain.redaction import names_address
from domain.values import addressee_id_for, normalise_address

logger = logging.getLogger(__name__)

FAILURES_AT_ONCE: Final = 100


class EraseRecipient:
    """Erases people, any number of times.

    Args:
        units: Begins transactions.
        read_models: Tells when the rows have forgotten as well.
        clock: Gives aware UTC.

    Source:
        SEC-6 Erasure; BR-558.8: counts stay.
    """

    def __init__(self, units: UnitsOfWork, read_models: ReadModelsProgress, clock: Clock) -> None:
        self._units = units
        self._read_models = read_models
        self._clock = clock

    def __call__(self, organization_id: UUID, address: str, *, erased_by: str = "") -> int:
        """Destroy somebody's key and everything that is parked about them.

        When this returns, no event tells who they were, whatever arrives later for emails that were sent to them. The
        rows follow; see `is_forgotten`. Whoever writes to them again afterwards begins anew.

        Args:
            organization_id: Other organisations' knowledge of the same person is their own.
            address: In any spelling.
            erased_by: Id of the API key or user who asked; "" for a command of the operator.

        Returns:
            The place that read models must have passed; 0 if there is nothing that they could know.

        Raises:
            InvalidAddressError: The text holds no address.
            StoreUnavailableError: Ask again; what was done so far stays done.
        """
        bare = normalise_address(address)
        place = self._destroy_key(organization_id, addressee_id_for(organization_id, bare), erased_by)
        self._forget_failures(organization_id, bare)
        logger.info("A recipient is erased", extra={"event": "recipient_erased", "organization_id": organization_id})
        return place

    def is_forgotten(self, place: int) -> bool:
        """Whether the rows of every read model have forgotten, too.

        Args:
            place: As the call returned it.

        Raises:
            StoreUnavailableError: It cannot be told now.
        """
        return place == 0 or self._read_models.read_until() >= place

    def _destroy_key(self, organization_id: UUID, addressee_id: UUID, erased_by: str) -> int:
        def destroy(unit: UnitOfWork) -> int:
            # Nobody records for the organisation meanwhile: what they seal has a key, or tells nothing.
            unit.tracking.stop_recording(organization_id)
            if unit.erasure.destroy_key(addressee_id):
                recipient = unit.tracking.recipients([addressee_id])[addressee_id]
                recipient.erase(organization_id=organization_id, erased_at=self._clock(), erased_by=erased_by)
                unit.erasure.keep(recipient)
            unit.erasure.forget_orphans(addressee_id)
            return unit.erasure.last_erasure(addressee_id) or 0

        return in_transaction(self._units, destroy)

    def _forget_failures(self, organization_id: UUID, address: str) -> None:
        looked_at: int | None = 0
        while looked_at is not None:
            with self._units.begin() as unit:
                looked_at = unit.erasure.forget_failures(
                    organization_id,
                    lambda body: names_address(body.decode(errors="replace"), address),
                    after=looked_at,
                    most=FAILURES_AT_ONCE,
                )
