"""What the scores read model keeps, and the port through which it keeps it."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.policies.scoring import CandidateActivity, EngagementScore
from read_models.automated import AutomatedActivity

CandidateKey = tuple[UUID, str]
"""``organization_id, candidate_id``."""


class KnownCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate as the latest email names them, and what they did."""

    organization_id: UUID
    candidate_id: str
    name: str
    activity: CandidateActivity
    automated: AutomatedActivity


class ScoredCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate's row in the ranking."""

    candidate: KnownCandidate
    score: EngagementScore


class ScoresView(Protocol):
    """Keeps the ranking, inside the transaction that also moves the read model's position."""

    def readable_until(self) -> int:
        """Give the place up to which the emails' rows, which activity is counted from, are complete."""
        ...

    def last_place_after(self, position: int, *, most: int) -> int:
        """Give the place of the last of the next events."""
        ...

    def touched(self, after: int, until: int) -> Sequence[CandidateKey]:
        """Give the candidates whose emails the events after one place and up to another are about."""
        ...

    def due(self, now: datetime, *, most: int) -> Sequence[CandidateKey]:
        """Give candidates whose score time alone has changed."""
        ...

    def activity_of(self, keys: Collection[CandidateKey], now: datetime) -> Sequence[KnownCandidate]:
        """Count what the candidates did in the 90 days before `now`."""
        ...

    def forget(self, keys: Collection[CandidateKey]) -> None:
        """Take candidates out of the ranking."""
        ...

    def save(self, scores: Sequence[ScoredCandidate]) -> None:
        """Keep the candidates' rows."""
        ...
