"""Read and change what an organisation allows to be recorded."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from application.checked_fields import InvalidFieldsError, checked_fields
from application.ports.clock import Clock
from application.ports.unit_of_work import UnitOfWork, UnitsOfWork
from application.transactions import in_transaction
from domain.tracking_terms import TrackingPolicy


class InvalidPolicyError(InvalidFieldsError):
    """Fields that no tracking policy can have; nothing was changed."""

    code = "invalid_tracking_policy"


class TrackingPolicies:
    """Tells and changes organisations' tracking policies.

    Args:
        units: Begins transactions.
        clock: Gives aware UTC.

    Source:
        PRE-1, BR-558.1, BR-558.6, BR-558.8, SEC-5.
    """

    def __init__(self, units: UnitsOfWork, clock: Clock) -> None:
        self._units = units
        self._clock = clock

    def of(self, organization_id: UUID) -> TrackingPolicy:
        """Give the policy that holds.

        Raises:
            StoreUnavailableError: It cannot be told now.
        """
        with self._units.begin() as unit:
            return unit.tracking.organization(organization_id).policy

    def change(self, organization_id: UUID, fields: Mapping[str, object], *, changed_by: str) -> TrackingPolicy:
        """Change some or all of a policy; once this returns, nothing is recorded under the old one, in no process.

        Args:
            organization_id: Whose.
            fields: New values by name; a field that is left out stays as it is.
            changed_by: Id of the API key or user who asks.

        Returns:
            The policy that now holds.

        Raises:
            InvalidPolicyError: Nothing was changed.
            StoreUnavailableError: Nothing was changed; ask again.
        """
        changes = _checked(fields)

        def change(unit: UnitOfWork) -> TrackingPolicy:
            unit.tracking.stop_recording(organization_id)
            organization = unit.tracking.organization(organization_id)
            policy = msgspec.structs.replace(organization.policy, **changes)
            if organization.change_policy(policy, changed_at=self._clock(), changed_by=changed_by):
                unit.tracking.keep_policy(organization)
            return policy

        return in_transaction(self._units, change)


def _checked(fields: Mapping[str, object]) -> dict[str, object]:
    checked, flaws = checked_fields(fields, TrackingPolicy, of="a tracking policy")
    if flaws:
        raise InvalidPolicyError(flaws)
    return checked
