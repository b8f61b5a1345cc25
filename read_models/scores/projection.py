"""Keep every candidate's score right: after each event, and as time passes without any."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from domain.policies.scoring import score_candidate
from read_models.runner import ReadModelStore
from read_models.scores.view import CandidateKey, ScoredCandidate, ScoresView

NAME: Final = "scores"
EVENTS_PER_TRANSACTION: Final = 50_000
"""Of a backlog; the more at once, the more of them are about the same candidates, who are scored once."""
EVENTS_PER_TRANSACTION_OF_A_REBUILD: Final = 1_000_000
"""Who asks does not wait for it; only changes of the emails' tables do."""
CANDIDATES_PER_TRANSACTION: Final = 2_000
CANDIDATES_AT_ONCE: Final = 20_000
"""Whose activity is in memory at the same time."""


class ScoresReadModel:
    """Scores the candidates that events touch, counted set by set from the emails' rows.

    Args:
        name: Of the read model.
        store: Of its rows and position.
        clock: Gives aware UTC.
        most_events: Of one transaction.

    Source:
        BR-558.4 Engagement score; SCORE: it decays without new events.
    """

    def __init__(
        self,
        name: str,
        store: ReadModelStore[ScoresView],
        clock: Callable[[], datetime],
        *,
        most_events: int = EVENTS_PER_TRANSACTION,
    ) -> None:
        self.name = name
        self._store = store
        self._clock = clock
        self.most_events = most_events

    def advance(self) -> int:
        """Score the candidates of the next events; see `read_models.runner.ReadModel`."""
        with self._store.begin() as progress:
            view, start = progress.view, progress.position
            until = min(view.readable_until(), view.last_place_after(start, most=self.most_events))
            if until <= start:
                return 0
            self._score(view, view.touched(start, until))
            progress.move_to(until)
            return until - start

    def decay(self) -> int:
        """Score again whose score time alone has changed.

        Returns:
            Number of candidates scored.
        """
        total = 0
        while scored := self._decay_some():
            total += scored
        return total

    def _decay_some(self) -> int:
        with self._store.begin() as progress:
            keys = progress.view.due(self._clock(), most=CANDIDATES_PER_TRANSACTION)
            self._score(progress.view, keys)
            return len(keys)

    def _score(self, view: ScoresView, keys: Sequence[CandidateKey]) -> None:
        now = self._clock()
        for start in range(0, len(keys), CANDIDATES_AT_ONCE):
            self._score_at_once(view, keys[start : start + CANDIDATES_AT_ONCE], now)

    def _score_at_once(self, view: ScoresView, keys: Sequence[CandidateKey], now: datetime) -> None:
        known = view.activity_of(keys, now)
        view.save(
            [
                ScoredCandidate(candidate=candidate, score=score_candidate(candidate.activity, now))
                for candidate in known
            ]
        )
        # Whose emails are all gone would else be due for ever.
        if gone := set(keys) - {(candidate.organization_id, candidate.candidate_id) for candidate in known}:
            view.forget(gone)
