"""Which clicks belong to a burst: no person follows so many links so quickly."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

Link = tuple[str, str]
"""Where it leads, and which of several links it is."""

BURST_LINKS: Final = 3
BURST_TIME: Final = timedelta(seconds=10)
ALL_LINKS_TIME: Final = timedelta(seconds=60)
PAIR_TIME: Final = timedelta(seconds=1)


class LinkClick(msgspec.Struct, frozen=True, gc=False):
    """One click, as far as bursts go."""

    at: datetime
    link: Link


def burst_places(clicks: Sequence[LinkClick], *, links_in_email: int = 0) -> set[int]:
    """Find the clicks of all bursts.

    Args:
        clicks: Of one email, in the order of their times.
        links_in_email: How many links the email has; 0 if nobody told.

    Returns:
        Their places in `clicks`.

    Source:
        BR-558.7, rule 11: 3 links in 10 s, all links (at least 3) in 60 s, or 2 links within 1 s.
    """
    found = _crowded(clicks, BURST_TIME, BURST_LINKS) | _crowded(clicks, PAIR_TIME, 2)
    if links_in_email >= BURST_LINKS:
        found |= _crowded(clicks, ALL_LINKS_TIME, links_in_email)
    return found


def _crowded(clicks: Sequence[LinkClick], window: timedelta, links: int) -> set[int]:
    """Find the clicks of every window that holds so many different links."""
    found: set[int] = set()
    if len(clicks) < links:
        return found
    within: dict[Link, int] = {}
    first = marked = 0
    for last, click in enumerate(clicks):
        within[click.link] = within.get(click.link, 0) + 1
        while click.at - clicks[first].at > window:
            gone = clicks[first].link
            within[gone] -= 1
            if not within[gone]:
                del within[gone]
            first += 1
        if len(within) >= links:
            found.update(range(max(first, marked), last + 1))
            marked = last + 1
    return found
