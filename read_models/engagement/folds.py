"""What each kind of fact changes in the row of its email; every one of these commutes with every other."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from domain.email_facts import (
    Bounced,
    Clicked,
    Deferred,
    Delivered,
    Dropped,
    Engagement,
    Opened,
    Replied,
    SpamReported,
    Unsubscribed,
)
from domain.values import BounceKind
from read_models.engagement.view import EmailLog

_GRAVITY: Final = {BounceKind.HARD: 0, BounceKind.BLOCK: 1, BounceKind.SOFT: 2}


def _earliest(known: datetime | None, seen: datetime) -> datetime:
    return seen if known is None or seen < known else known


def _engage(email: EmailLog, at: datetime) -> None:
    email.last_engaged_at = at if email.last_engaged_at is None or at > email.last_engaged_at else email.last_engaged_at


def _fold_delivered(email: EmailLog, fact: Delivered) -> None:
    email.delivered_at = _earliest(email.delivered_at, fact.occurred_at)


def _fold_deferred(email: EmailLog, fact: Deferred) -> None:
    email.deferred_at = _earliest(email.deferred_at, fact.occurred_at)


def _fold_opened(email: EmailLog, fact: Opened) -> None:
    email.open_count += 1
    email.opened_at = _earliest(email.opened_at, fact.occurred_at)
    _engage(email, fact.occurred_at)


def _fold_clicked(email: EmailLog, fact: Clicked) -> None:
    email.click_count += 1
    email.clicked_at = _earliest(email.clicked_at, fact.occurred_at)
    _engage(email, fact.occurred_at)


def _bounce_rank(kind: BounceKind, occurred_at: datetime, reason: str) -> tuple[int, datetime, str]:
    """Order bounces so that the one that counts for the email comes first: the gravest, then the earliest."""
    return (_GRAVITY[kind], occurred_at, reason)


def _fold_bounced(email: EmailLog, fact: Bounced) -> None:
    if (
        email.bounced_at is None
        or email.bounce_type is None
        or _bounce_rank(fact.bounce_kind, fact.occurred_at, fact.reason)
        < _bounce_rank(BounceKind(email.bounce_type), email.bounced_at, email.bounce_reason or "")
    ):
        email.bounced_at, email.bounce_type = fact.occurred_at, fact.bounce_kind.value
        email.bounce_reason = fact.reason or None


def _fold_dropped(email: EmailLog, fact: Dropped) -> None:
    # Of two in the same second the same one counts, whichever came first.
    if email.dropped_at is None or (fact.occurred_at, fact.reason) < (email.dropped_at, email.drop_reason or ""):
        email.dropped_at, email.drop_reason = fact.occurred_at, fact.reason or None


def _fold_spam_reported(email: EmailLog, fact: SpamReported) -> None:
    email.spam_reported_at = _earliest(email.spam_reported_at, fact.occurred_at)


def _fold_unsubscribed(email: EmailLog, fact: Unsubscribed) -> None:
    email.unsubscribed_at = _earliest(email.unsubscribed_at, fact.occurred_at)


def _fold_replied(email: EmailLog, fact: Replied) -> None:
    email.reply_count += 1
    email.replied_at = _earliest(email.replied_at, fact.occurred_at)
    _engage(email, fact.occurred_at)


def count_withheld(email: EmailLog, fact: Engagement) -> None:
    """Count an open or a click by a person of whom privacy mode keeps back who they are and when it was (BR-558.8)."""
    if isinstance(fact, Clicked):
        email.click_count += 1
    else:
        email.open_count += 1


FOLDS: Final[dict[type[Any], Callable[..., None]]] = {
    Delivered: _fold_delivered,
    Deferred: _fold_deferred,
    Opened: _fold_opened,
    Clicked: _fold_clicked,
    Bounced: _fold_bounced,
    Dropped: _fold_dropped,
    SpamReported: _fold_spam_reported,
    Unsubscribed: _fold_unsubscribed,
    Replied: _fold_replied,
}
"""The function for each class of fact; each takes the row and a fact of that class."""
