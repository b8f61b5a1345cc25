"""Keep every candidate's score right: after each event, and as time passes without any."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import Final

from domain.policies.scoring import score_candidate
from read_models.runner import ReadModelStore
from read_models.scores.view import CandidateKey, ScoredCandidate, ScoresView

NAME: Final = "scores"
EVENTS_PER_TRANSACTION: Final = 50_000
"""Of a backlog; the more at once, the more of them are about the same candidates, who are scored once."""
CANDIDATES_PER_TRANSACTION: Final = 2_000


class ScoresReadModel:
    """Scores the candidates that events touch, counted set by set from the emails' rows.

    Source:
        BR-558.4 Engagement score; SCORE: it decays without new events.
    """

    def __init__(self, name: str, store: ReadModelStore[ScoresView], clock: Callable[[], datetime]) -> None:
        self.name = name
        self._store = store
        self._clock = clock

    def advance(self) -> int:
        """Score the candidates of the next events; see `read_models.runner.ReadModel`."""
        with self._store.begin() as progress:
            view, start = progress.view, progress.position
            until = min(view.readable_until(), view.last_place_after(start, most=EVENTS_PER_TRANSACTION))
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

    def _score(self, view: ScoresView, keys: Collection[CandidateKey]) -> None:
        if not keys:
            return
        now = self._clock()
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
