"""How interested a candidate is, as one number that a recruiter can sort by.

Source:
    BR-558.4 Engagement score: calculated from opens, clicks, replies, recency.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

WINDOW: Final = timedelta(days=90)
RECENCY_STEPS: Final = ((timedelta(hours=24), 30), (timedelta(days=7), 20), (timedelta(days=30), 10))
OPEN_WEIGHT: Final = 30
CLICK_WEIGHT: Final = 40
REPLY_WEIGHT: Final = 20
HIGHEST_SCORE: Final = 100
HOT_FROM: Final = 75
WARM_FROM: Final = 40


class Level(StrEnum):
    """The badge: hot 75 to 100, warm 40 to 74, cold below."""

    HOT = "hot"
    WARM = "warm"
    COLD = "cold"


class CandidateActivity(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a candidate's tracked emails of the last 90 days.

    Attributes:
        emails_sent: Tracked emails sent in the window.
        emails_opened: Of these, how many a person opened; a click implies an open.
        emails_clicked: Of these, in how many a person followed a link.
        emails_replied: Of these, how many were answered.
        last_engaged_at: Latest human open, click or reply on them; aware UTC.
        oldest_sent_at: When the first of them was sent; aware UTC.
        hard_bounced: Whether any of them came back for good.
        unsubscribed: Whether the candidate asked for no more email.
    """

    emails_sent: int
    emails_opened: int
    emails_clicked: int
    emails_replied: int
    last_engaged_at: datetime | None
    oldest_sent_at: datetime | None
    hard_bounced: bool = False
    unsubscribed: bool = False


class ScoreParts(msgspec.Struct, frozen=True, kw_only=True):
    """Where a score comes from, in points."""

    recency: int
    opens: int
    clicks: int
    replies: int


class EngagementScore(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate's score at one moment.

    Attributes:
        score: 0 to 100; ``None``: no tracked email in 90 days, nothing was measured.
        level: The badge; ``None`` with the score.
        level_reason: Why the level is not what the score alone would give (``hard_bounced``, ``unsubscribed``), or "".
        next_change_at: When time alone changes the score next; ``None``: never.
    """

    score: int | None
    level: Level | None
    level_reason: str = ""
    parts: ScoreParts | None = None
    next_change_at: datetime | None = None


UNMEASURED: Final = EngagementScore(score=None, level=None)


def score_candidate(activity: CandidateActivity, now: datetime) -> EngagementScore:
    """Turn a candidate's recent activity into a score and a badge.

    Args:
        activity: Of the 90 days before `now`.
        now: Aware UTC.

    Source:
        BR-558.4, SCORE: recency 30/20/10, open rate × 30, click rate × 40, reply rate × 20, at most 100; a bounced or
        unsubscribed candidate is never hot.
    """
    if activity.emails_sent == 0:
        return UNMEASURED
    parts = ScoreParts(
        recency=_recency_points(activity.last_engaged_at, now),
        opens=_share(activity.emails_opened, activity.emails_sent, OPEN_WEIGHT),
        clicks=_share(activity.emails_clicked, activity.emails_sent, CLICK_WEIGHT),
        replies=_share(activity.emails_replied, activity.emails_sent, REPLY_WEIGHT),
    )
    score = min(HIGHEST_SCORE, parts.recency + parts.opens + parts.clicks + parts.replies)
    reason = "hard_bounced" if activity.hard_bounced else "unsubscribed" if activity.unsubscribed else ""
    return EngagementScore(
        score=score,
        level=_level(score, capped=bool(reason)),
        level_reason=reason,
        parts=parts,
        next_change_at=_next_change(activity, now),
    )


def _share(part: int, whole: int, weight: int) -> int:
    # Half up in whole numbers, as SQL's ROUND(numeric) does: the seed's query must give the same points.
    return (2 * part * weight + whole) // (2 * whole)


def _recency_points(last_engaged_at: datetime | None, now: datetime) -> int:
    if last_engaged_at is None:
        return 0
    age = now - last_engaged_at
    return next((points for limit, points in RECENCY_STEPS if age < limit), 0)


def _level(score: int, *, capped: bool) -> Level:
    if score >= HOT_FROM and not capped:
        return Level.HOT
    return Level.WARM if score >= WARM_FROM else Level.COLD


def _next_change(activity: CandidateActivity, now: datetime) -> datetime | None:
    moments = [activity.oldest_sent_at + WINDOW] if activity.oldest_sent_at else []
    if activity.last_engaged_at:
        moments += [activity.last_engaged_at + limit for limit, _ in RECENCY_STEPS]
    return min((moment for moment in moments if moment > now), default=None)
