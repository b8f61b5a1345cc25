"""When an outgoing delivery is tried again, when its receiver is left in peace, and when it is given up."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

import msgspec

RETRIES: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""From one attempt at a delivery to the next, as Standard Webhooks proposes: ten attempts in three days."""
JITTER: Final = 0.2
"""Waiting times are longer by up to this share, so that what failed together does not come back together."""
SHORTEST_PAUSE: Final = timedelta(seconds=1)
LONGEST_PAUSE: Final = timedelta(minutes=10)
LONGEST_WISH: Final = timedelta(hours=1)
"""Of a receiver that asks by Retry-After to be left in peace."""
GIVEN_UP_AFTER: Final = timedelta(days=5)
FEWEST_FAILURES: Final = 30
"""In a row, before a receiver is given up: time in which nothing was sent says nothing about it. Sent everything at
once after such a time, a receiver has three hours still."""
_DOUBLINGS: Final = 10


class Outcome(StrEnum):
    """What became of one attempt."""

    DELIVERED = "delivered"
    GONE = "gone"
    """410: the receiver wants nothing any more."""
    REDIRECTED = "redirected"
    REFUSED = "refused"
    """Any other status than 2xx."""
    TIMED_OUT = "timed_out"
    UNREACHABLE = "unreachable"
    UNRESOLVABLE = "unresolvable"
    FORBIDDEN_ADDRESS = "forbidden_address"
    """The name leads to an address that nothing may be sent to."""
    NOT_ENCRYPTED = "not_encrypted"
    """http:// to an address outside of the networks that the operator names."""
    TLS_UNTRUSTED = "tls_untrusted"
    """The certificate is of an authority that this machine does not trust, or leads to none."""
    TLS_EXPIRED = "tls_expired"
    """Or is not valid yet, by this machine's clock."""
    TLS_WRONG_HOST = "tls_wrong_host"
    TLS_FAILED = "tls_failed"
    """The connection could not be encrypted for another reason."""
    BROKEN_ANSWER = "broken_answer"
    UNREADABLE_SECRET = "unreadable_secret"  # noqa: S105  a word for what happened


class SwitchedOff(StrEnum):
    """Why a webhook is off."""

    BY_ADMIN = "by_admin"
    GONE = "gone"
    FAILING = "failing"


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """How a receiver does.

    Attributes:
        failures: In a row.
        failing_since: Aware UTC; ``None``: the last that it was sent arrived, or nothing was sent yet.
        paused_until: Nothing is sent before; ``None``: it may be.
        switched_off: ``None``: it is on.
    """

    failures: int = 0
    failing_since: datetime | None = None
    paused_until: datetime | None = None
    switched_off: SwitchedOff | None = None


def next_attempt_at(attempts: int, now: datetime, *, chance: float) -> datetime | None:
    """Say when a delivery that failed is tried again.

    Args:
        attempts: That were made.
        now: Aware UTC.
        chance: From 0 to 1, drawn anew each time.

    Returns:
        ``None``: not by itself.
    """
    if attempts > len(RETRIES):
        return None
    return now + RETRIES[attempts - 1] * (1 + JITTER * chance)


def health_after(
    before: Health, outcomes: Sequence[Outcome], now: datetime, *, chance: float, wish: timedelta = timedelta(0)
) -> Health:
    """Say how a receiver does after attempts that were made side by side.

    One that answers at all is well, whatever else failed: a delivery that it cannot take must not hold up the others.

    Args:
        before: How it did.
        outcomes: Of the attempts, at least one.
        now: Aware UTC.
        chance: From 0 to 1, drawn anew each time.
        wish: How long it asked to be left in peace.
    """
    if Outcome.GONE in outcomes:
        return Health(
            failures=before.failures + 1, failing_since=before.failing_since or now, switched_off=SwitchedOff.GONE
        )
    paused_until = now + min(wish, LONGEST_WISH) if wish else None
    if Outcome.DELIVERED in outcomes:
        return Health(paused_until=paused_until)
    failing_since = before.failing_since or now
    failures = before.failures + 1
    if now - failing_since >= GIVEN_UP_AFTER and failures >= FEWEST_FAILURES:
        return Health(failures=failures, failing_since=failing_since, switched_off=SwitchedOff.FAILING)
    pause = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** min(before.failures, _DOUBLINGS)) * (1 + JITTER * chance)
    return Health(
        failures=failures,
        failing_since=failing_since,
        paused_until=max(now + pause, paused_until or now),
    )
