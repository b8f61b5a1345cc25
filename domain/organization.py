"""An organisation, and what it decided about tracking."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.email_facts import AnyFact
from domain.fact_stream import FactStream
from domain.organization_facts import TrackingPolicyChanged
from domain.tracking_terms import DEFAULT_POLICY, TrackingPolicy


class Organization(FactStream[AnyFact]):
    """Decides what a change of policy means and folds what was decided: the last decision holds."""

    TOPIC: ClassVar[str] = "Organization"

    __slots__ = ("policy",)

    def __init__(self, organization_id: UUID) -> None:
        """Begin with the default policy.

        Args:
            organization_id: Also names the stream.
        """
        super().__init__(organization_id)
        self.policy = DEFAULT_POLICY

    def change_policy(self, policy: TrackingPolicy, *, changed_at: datetime, changed_by: str) -> bool:
        """Decide what may be recorded from here on.

        Args:
            policy: The whole of it.
            changed_at: Aware UTC.
            changed_by: As `TrackingPolicyChanged` tells it.

        Returns:
            Whether that was news; the same policy again changes nothing.
        """
        if policy == self.policy:
            return False
        self._record(TrackingPolicyChanged(policy=policy, changed_at=changed_at, changed_by=changed_by))
        return True

    def _evolve(self, fact: AnyFact) -> None:
        if isinstance(fact, TrackingPolicyChanged):
            self.policy = fact.policy
