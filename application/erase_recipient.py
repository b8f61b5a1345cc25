"""Erase somebody: what was recorded keeps counting and never tells again who it was."""

import logging
from typing import Final
from uuid import UUID

import msgspec

from application.ports.clock import Clock
from application.ports.erasure import ReadModelsProgress
from application.ports.unit_of_work import UnitOfWork, UnitsOfWork
from application.transactions import in_transaction
from domain.redaction import names_address
from domain.values import addressee_id_for, normalise_address

logger = logging.getLogger(__name__)

FAILURES_AT_ONCE: Final = 100


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """An erasure that was begun: from here on no event tells who it was.

    Attributes:
        address: As `normalise_address` gave it.
        place: That read models must have passed; 0 if there is nothing that they could know.
        waiting_until: Number of the newest delivery that was waiting when it was asked for; 0 if none was.
    """

    organization_id: UUID
    address: str
    place: int
    waiting_until: int

    @property
    def addressee_id(self) -> UUID:
        """Names whom it erases."""
        return addressee_id_for(self.organization_id, self.address)


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

    def __call__(self, organization_id: UUID, address: str, *, erased_by: str = "") -> Erasure:
        """Destroy somebody's key and everything that is parked about them.

        When this returns, no event tells who they were, whatever arrives later for emails that were sent to them. The
        rows follow, and so does what was acknowledged before and not processed yet; see `is_finished`. Whoever writes
        to them again afterwards begins anew.

        Args:
            organization_id: Other organisations' knowledge of the same person is their own.
            address: In any spelling.
            erased_by: Id of the API key or user who asked; "" for a command of the operator.

        Raises:
            InvalidAddressError: The text holds no address.
            StoreUnavailableError: Ask again; what was done so far stays done.
        """
        bare = normalise_address(address)
        waiting_until = in_transaction(self._units, lambda unit: unit.erasure.newest_waiting(organization_id))
        place = self._destroy_key(organization_id, addressee_id_for(organization_id, bare), erased_by)
        erasure = Erasure(organization_id=organization_id, address=bare, place=place, waiting_until=waiting_until)
        self._forget_failures(erasure)
        logger.info("A recipient is erased", extra={"event": "recipient_erased", "organization_id": organization_id})
        return erasure

    def is_finished(self, erasure: Erasure) -> bool:
        """Whether the rows of every read model have forgotten, too, and nothing of what was waiting is left.

        Raises:
            StoreUnavailableError: It cannot be told now.
        """
        if erasure.place and self._read_models.read_until() < erasure.place:
            return False
        with self._units.begin() as unit:
            if erasure.waiting_until and unit.erasure.is_waiting(erasure.organization_id, until=erasure.waiting_until):
                return False
            # Those that were parked since, and those whose email the read models did not know before.
            unit.erasure.forget_orphans(erasure.addressee_id)
            unit.erasure.forget_failures_by_email(erasure.organization_id, erasure.addressee_id)
        if erasure.waiting_until:
            self._forget_failures(erasure)
        return True

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

    def _forget_failures(self, erasure: Erasure) -> None:
        with self._units.begin() as unit:
            unit.erasure.forget_failures_by_email(erasure.organization_id, erasure.addressee_id)
        looked_at: int | None = 0
        while looked_at is not None:
            with self._units.begin() as unit:
                looked_at = unit.erasure.forget_failures(
                    erasure.organization_id,
                    lambda body: names_address(body.decode(errors="replace"), erasure.address),
                    after=looked_at,
                    most=FAILURES_AT_ONCE,
                )
