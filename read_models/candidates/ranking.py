"""Rank candidates whose scores depend on who asks."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from domain.policies.scoring import CandidateActivity, Level, score_candidate
from read_models.candidates.queries import CandidateRanking, CandidateScore, LevelCounts
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


class Alike(msgspec.Struct, frozen=True, kw_only=True):
    """Candidates who did the same, so that they have the same score.

    Attributes:
        activity: Of any of them.
        candidates: How many they are.
        first_ids: The first of them by id, as many as a page may need.
        next_ids: Likewise, of those beyond the id of the last candidate of the page before.
    """

    activity: CandidateActivity
    candidates: int
    first_ids: list[str]
    next_ids: list[str]


class Ranked(NamedTuple):
    """Candidates who are alike, with the score and the badge that they get."""

    score: int
    level: Level
    alike: Alike


def ranked(everybody: Iterable[Alike], now: datetime) -> list[Ranked]:
    """Score those of whom something was measured, once for all who are alike.

    Args:
        everybody: Of one audience.
        now: Aware UTC.
    """
    scores = [(score_candidate(alike.activity, now), alike) for alike in everybody]
    return [
        Ranked(score.score, score.level, alike)
        for score, alike in scores
        if score.score is not None and score.level is not None
    ]


def part_of(groups: Iterable[Ranked], level: Level | None, page: PageRequest) -> list[str]:
    """Give the ids of the candidates of a page and of the one after them, if there is one.

    Args:
        groups: All who may be listed, in any order.
        level: Only those with this badge; ``None``: all.
        page: Which part.

    Raises:
        InvalidCursorError: The cursor is of another list.
    """
    after = page.after(RankKey)
    listed: list[RankKey] = []
    for score, badge, alike in groups:
        if level is None or badge is level:
            if after is None or score < after.score:
                listed += [RankKey(score, candidate_id) for candidate_id in alike.first_ids]
            elif score == after.score:
                listed += [RankKey(score, candidate_id) for candidate_id in alike.next_ids]
    return [candidate_id for _, candidate_id in sorted(listed, key=_downwards)[: page.limit + 1]]


def ranking_of(part: Sequence[CandidateScore], page: PageRequest, levels: LevelCounts) -> CandidateRanking:
    """Cut a page from its part of the list and the one after it."""
    cut = page_of(part, page.limit, keys=[rank_of(candidate) for candidate in part])
    return CandidateRanking(items=cut.items, next_cursor=cut.next_cursor, levels=levels)


def _downwards(place: RankKey) -> tuple[int, str]:
    return (-place.score, place.candidate_id)
