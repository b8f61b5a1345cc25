"""Rank candidates whose scores depend on who asks."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from domain.policies.scoring import Level, score_candidate
from read_models.candidates.queries import (
    CandidateRanking,
    CandidateRecord,
    CandidateScore,
    LevelCounts,
    scored,
)
from read_models.paging import PageRequest, page_of

UNMEASURED_RANK = -1


class RankKey(NamedTuple):
    """Where a candidate stands in a ranking: by score downwards, then by id."""

    score: int
    candidate_id: str


def rank_of(candidate: CandidateScore) -> RankKey:
    """Give the place of a candidate in a ranking."""
    return RankKey(UNMEASURED_RANK if candidate.score is None else candidate.score, candidate.candidate_id)


def level_counts(counts: Mapping[Level | None, int]) -> LevelCounts:
    """Turn counts by level (``None``: no level) into what a ranking shows beside its list."""
    return LevelCounts(**{level or "unmeasured": count for level, count in counts.items()})


def score_all(
    records: Iterable[CandidateRecord], now: datetime, *, with_automated: bool = False
) -> list[CandidateScore]:
    """Score candidates from what one audience may see of them.

    Args:
        records: In any order.
        now: Aware UTC.
        with_automated: Count emails as if machines were people.
    """
    return [scored(record, score_candidate(record.activity, now), with_automated=with_automated) for record in records]


def part_of(candidates: Iterable[CandidateScore], level: Level | None, page: PageRequest) -> list[CandidateScore]:
    """Give the candidates of a page and the one after them, if there is one.

    Args:
        candidates: All who may be listed, in any order.
        level: Only those with this badge; ``None``: all.
        page: Which part.

    Raises:
        InvalidCursorError: The cursor is of another list.
    """
    after = page.after(RankKey)
    listed = [candidate for candidate in candidates if level is None or candidate.level is level]
    if after is not None:
        listed = [candidate for candidate in listed if _downwards(rank_of(candidate)) > _downwards(after)]
    return sorted(listed, key=lambda candidate: _downwards(rank_of(candidate)))[: page.limit + 1]


def ranking_of(part: Sequence[CandidateScore], page: PageRequest, levels: LevelCounts) -> CandidateRanking:
    """Cut a page from its part of the list and the one after it."""
    cut = page_of(part, page.limit, keys=[rank_of(candidate) for candidate in part])
    return CandidateRanking(items=cut.items, next_cursor=cut.next_cursor, levels=levels)


def _downwards(place: RankKey) -> tuple[int, str]:
    return (-place.score, place.candidate_id)
