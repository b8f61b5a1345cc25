"""Which fact is told to whom, when it rings, and what is told as one.

Source:
    AF-3 real-time open notification; DETECTION.md: machines never ring, and toasts wait only where the verdict is open.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from domain.email_facts import Bounced, Clicked, Engagement, Fact, Opened, Replied, Sent
from domain.notification_preferences import Digest, NotificationPreferences, Occasion, Opens
from domain.policies.detection.judgement import UNSUSPECTED
from domain.tracking_terms import TrackingTerms
from domain.values import BounceKind, Verdict

LATE_AFTER: Final = timedelta(hours=24)
"""A fact that took longer to arrive is no news: imports, and a provider's retries after a long outage."""
RINGS_WITHIN: Final = timedelta(hours=1)
"""What is told later than this, after an outage of ours, waits in the list: nobody "just opened" anything."""
INSTANT_WINDOW: Final = timedelta(seconds=10)
"""How long one more report may turn a doubtful engagement into a machine's."""
BURST: Final = timedelta(minutes=10)
"""Within it, one more open or click of the same email counts up and does not ring again."""

TELLING: Final = frozenset({Opened, Clicked, Replied, Bounced})
"""Kinds of facts that somebody may be told about; of all others `occasion_of` gives nothing."""
_ENGAGED: Final = {Opened: Occasion.OPEN, Clicked: Occasion.CLICK}


def occasion_of(fact: Fact) -> Occasion | None:
    """Say what somebody might be told about a fact.

    Returns:
        ``None``: nothing. It was a machine, a preview or the sender, privacy mode keeps it back, or it is no news.
    """
    if fact.withheld or fact.recorded_at - fact.occurred_at > LATE_AFTER:
        return None
    if isinstance(fact, Engagement):
        return _ENGAGED.get(type(fact)) if fact.verdict.is_human else None
    if isinstance(fact, Replied):
        return Occasion.REPLY
    if isinstance(fact, Bounced) and fact.bounce_kind is BounceKind.HARD:
        return Occasion.BOUNCE
    return None


def may_be_told(occasion: Occasion, terms: TrackingTerms) -> bool:
    """Say whether organisation and recipient allow it now, whatever they allowed when it was recorded.

    Source:
        BR-558.1, BR-558.8; the organisation's switch ``notifications_enabled``.
    """
    if not terms.policy.notifications_enabled:
        return False
    if occasion in (Occasion.OPEN, Occasion.CLICK):
        return not terms.refusal and not terms.policy.privacy_mode
    return True


def audience(sent: Sent, manager_id: str) -> Collection[str]:
    """Name who might be told: the sender, and the job's hiring manager, who is told only if they ask for it."""
    return dict.fromkeys(user_id for user_id in (sent.sender.id, manager_id) if user_id)


def wants(
    preferences: NotificationPreferences, occasion: Occasion, *, is_sender: bool, is_hot: bool, is_first: bool
) -> bool:
    """Say whether somebody wants to be told.

    Args:
        preferences: Theirs.
        occasion: What happened.
        is_sender: Whether the email was theirs; else they are the job's hiring manager.
        is_hot: Whether the candidate's score is hot.
        is_first: Whether they were told about none of this kind and email yet.
    """
    if occasion not in preferences.kinds or not (is_sender or preferences.my_jobs):
        return False
    if occasion in (Occasion.OPEN, Occasion.CLICK):
        return (is_first or preferences.opens is Opens.ALL) and (is_hot or not preferences.hot_candidates_only)
    return True


def rings(
    preferences: NotificationPreferences,
    occasion: Occasion,
    *,
    occurred_at: datetime,
    told_before_at: datetime | None,
    now: datetime,
) -> bool:
    """Say whether something that is told also rings, or waits in the list.

    Args:
        preferences: Of who is told.
        occasion: What happened.
        occurred_at: When.
        told_before_at: When the latest of this kind and email happened that they knew of; ``None``: there was none.
        now: Aware UTC.
    """
    if now - occurred_at > RINGS_WITHIN or preferences.is_quiet(now):
        return False
    if occasion is Occasion.REPLY:
        return True
    return preferences.digest is Digest.OFF and (told_before_at is None or occurred_at - told_before_at >= BURST)


def held_until(fact: Fact) -> datetime | None:
    """Give the instant until which a fact is not told, because its verdict is still open; ``None``: it is told at once.

    Only engagement with something against it waits; a reply never does. Nor is the window any longer because a
    provider's clock is ahead.
    """
    if isinstance(fact, Engagement) and fact.verdict is Verdict.HUMAN and fact.confidence < UNSUSPECTED:
        return min(fact.occurred_at, fact.recorded_at) + INSTANT_WINDOW
    return None
