"""Whether opens and clicks of one email are far enough apart to be judged each for itself, as most are.

A look at times is enough to tell, and saves what comparing needs: addresses and agents, which are sealed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, TypeAlias

from domain.policies.detection.bursts import ALL_LINKS_TIME, BURST_TIME, PAIR_TIME
from domain.policies.detection.neighbours import ECHO_TIME, REACH
from domain.values import Verdict

MOST_LOOKED_AT: Final = 32
"""Each is held against each; of more, comparing them in the order of time costs less."""
CLICKS_REACH: Final = max(ECHO_TIME, BURST_TIME, PAIR_TIME, ALL_LINKS_TIME)

Glance: TypeAlias = tuple[datetime, bool, Verdict | None, bool]
"""What is seen of an open or a click without asking who did it: when, whether it is a click, what its report makes
certain, and whether it was not judged yet."""


def may_compare(glances: Sequence[Glance], *, everything: bool) -> bool:
    """Say whether a rule that looks at two engagements could fire; if not, each is judged for itself.

    Args:
        glances: At all of one email whose moment is known, in any order.
        everything: Whether all are judged anew, or only the news among them.

    Source:
        BR-558.7, rules 11, 13 and 14.
    """
    if len(glances) > MOST_LOOKED_AT:
        return True
    for place, one in enumerate(glances):
        if everything or one[3]:
            for other_place, other in enumerate(glances):
                if other_place != place and (
                    _may_taint(one, other) or _may_taint(other, one) or _may_crowd(one, other)
                ):
                    return True
    return False


def _may_taint(hit: Glance, seen: Glance) -> bool:
    verdict = hit[2]
    if verdict is None or seen[2] is not None or verdict.is_human or (verdict is Verdict.MACHINE_OPEN and seen[1]):
        return False
    return hit[0] <= seen[0] <= hit[0] + REACH


def _may_crowd(one: Glance, other: Glance) -> bool:
    return one[1] and other[1] and abs(one[0] - other[0]) <= CLICKS_REACH
