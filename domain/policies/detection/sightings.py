"""On how many recipients of a campaign an address shows up at nearly the same time."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Final
from uuid import UUID

import msgspec

from domain.policies.detection.judgement import Impression, Reason

SIGHTING_TIME: Final = timedelta(seconds=60)
MANY_RECIPIENTS: Final = 5
"""Of one campaign within a minute at one address; offices share addresses, so it is a suspicion only."""


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """An open or a click that is not certain yet, as far as its campaign goes.

    Attributes:
        recipient: Any name that is the same for the same recipient.
    """

    campaign_id: UUID
    ip_address: str
    recipient: bytes
    at: datetime


def doubted_by(impression: Impression, recipients: int) -> Impression:
    """Give what is thought of an open or a click whose address was seen on so many recipients.

    Source:
        BR-558.7, rule 12.
    """
    return impression.doubted(Reason.SHARED_ADDRESS) if recipients >= MANY_RECIPIENTS else impression


def recipients_seen(seen: Sequence[tuple[datetime, bytes]], at: datetime) -> int:
    """Count on how many recipients one address was seen in the busiest minute around a moment.

    Args:
        seen: When, and on whom, in the order of time.
        at: The moment of one of them.

    Returns:
        At most `MANY_RECIPIENTS`: more say no more.

    Source:
        BR-558.7, rule 12: the same address on 5 recipients of one campaign in 60 s.
    """
    if len(seen) == 1:
        return 1
    most, first = 0, bisect_left(seen, (at - SIGHTING_TIME, b""))
    within: Counter[bytes] = Counter()
    for when, who in islice(seen, first, None):
        if when > at + SIGHTING_TIME:
            break
        within[who] += 1
        while when - seen[first][0] > SIGHTING_TIME:
            gone = seen[first][1]
            within[gone] -= 1
            if not within[gone]:
                del within[gone]
            first += 1
        most = max(most, len(within))
        if most >= MANY_RECIPIENTS:
            return MANY_RECIPIENTS
    return most
