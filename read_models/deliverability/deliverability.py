"""Whether emails arrive: counts of one line, and the rates that follow from them."""

from collections.abc import Iterable
from typing import Final

import msgspec

from domain.values import BounceKind
from read_models.metrics.metrics import percent

MOST_REASONS: Final = 20
"""Reasons that one line lists; providers use a dozen."""


class Bounces(msgspec.Struct, frozen=True, kw_only=True):
    """Emails that came back, each counted once, by its gravest bounce."""

    hard: int = 0
    block: int = 0
    soft: int = 0


class BounceReason(msgspec.Struct, frozen=True, kw_only=True):
    """One cause for which emails came back.

    Attributes:
        reason: One lower_snake_case word; ``None``: the provider gave none.
    """

    kind: BounceKind
    reason: str | None
    emails: int


class Deliverability(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the emails of one line.

    Attributes:
        sent: Emails that left the provider, tracked or not.
        dropped: Emails that the provider refused to send; not among `sent`.
        bounce_reasons: The most frequent first, at most `MOST_REASONS`.
        delivery_rate: Percentage of `sent`, like `bounce_rate`; ``None`` where nothing was sent.
        spam_rate: Percentage of `delivered`, as mailbox providers count it; ``None`` where nothing was delivered.
    """

    sent: int
    delivered: int
    dropped: int
    bounced: int
    bounces: Bounces
    bounce_reasons: list[BounceReason]
    spam_reported: int
    unsubscribed: int
    delivery_rate: float | None
    bounce_rate: float | None
    spam_rate: float | None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """Emails of a line that share a bounce kind and reason, or came back not at all (kind ``None``)."""

    kind: BounceKind | None
    reason: str | None
    sent: int
    delivered: int
    dropped: int
    bounced: int
    spam_reported: int
    unsubscribed: int


def deliverability_of(outcomes: Iterable[Outcome]) -> Deliverability:
    """Add up a line.

    Args:
        outcomes: All of the line, each kind and reason once.
    """
    outcomes = list(outcomes)
    sent, delivered, bounced = (
        sum(getattr(one, name) for one in outcomes) for name in ("sent", "delivered", "bounced")
    )
    spam_reported = sum(one.spam_reported for one in outcomes)
    kinds = {kind: sum(one.bounced for one in outcomes if one.kind is kind) for kind in BounceKind}
    reasons = [
        BounceReason(kind=one.kind, reason=one.reason, emails=one.bounced)
        for one in sorted(outcomes, key=lambda one: (-one.bounced, one.kind or "", one.reason or ""))
        if one.kind is not None and one.bounced
    ]
    return Deliverability(
        sent=sent,
        delivered=delivered,
        dropped=sum(one.dropped for one in outcomes),
        bounced=bounced,
        bounces=Bounces(**{kind.value: count for kind, count in kinds.items()}),
        bounce_reasons=reasons[:MOST_REASONS],
        spam_reported=spam_reported,
        unsubscribed=sum(one.unsubscribed for one in outcomes),
        delivery_rate=percent(delivered, sent),
        bounce_rate=percent(bounced, sent),
        spam_rate=percent(spam_reported, delivered),
    )
