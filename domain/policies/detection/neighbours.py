"""What the opens and clicks of one email say about each other.

Everything here is a function of the set of facts: in whatever order and however often they arrive, the judgement is
the same. No rule looks further than `REACH` from one fact to another, so that those between two longer pauses
(an `episode`) can be judged without the others.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from typing import Final

import msgspec

from domain.policies.detection.agents import system_of
from domain.policies.detection.bursts import Link, LinkClick, burst_places
from domain.policies.detection.judgement import SURE, Impression, Judgement, Reason
from domain.values import Verdict

REACH: Final = timedelta(minutes=15)
ECHO_TIME: Final = timedelta(seconds=15)
SOURCES_COMPARED: Final = 32
"""Of the latest clicks on a link: more come only in floods, which must not cost their square."""
INSTANT: Final = timedelta(seconds=10)
INSTANT_AFTER_SENDING: Final = timedelta(seconds=60)
CLOCKS_DIFFER: Final = timedelta(seconds=60)
"""Gateways look before they accept an email; further than this before its delivery the clocks cannot be compared."""
INSTANT_POINTS: Final = 2


class Circumstances(msgspec.Struct, frozen=True, gc=False):
    """What is known about the email itself.

    Attributes:
        first_open_at: Earliest open that no scanner made; ``None`` if there is none.
        links: How many links it has; 0 if nobody told.
    """

    sent_at: datetime
    delivered_at: datetime | None = None
    first_open_at: datetime | None = None
    links: int = 0


class Observation(msgspec.Struct, frozen=True, gc=False):
    """One open or click, as far as the others are concerned.

    Attributes:
        link: For clicks; ``None``: it is an open.
        ip_address: "" if unknown or gone.
        user_agent: "" if unknown or gone.
        standing: What was judged while address and agent were there to compare, and cannot be compared any more.
    """

    at: datetime
    key: bytes
    link: Link | None
    ip_address: str
    user_agent: str
    impression: Impression
    standing: Judgement | None = None


def episode(observations: Sequence[Observation], email: Circumstances) -> list[Judgement]:
    """Judge opens and clicks that happened near each other.

    Args:
        observations: Of one email, in the order of (`at`, `key`).
        email: They are about.

    Returns:
        One judgement for each.

    Source:
        BR-558.7, rules 10 to 15.
    """
    if len(observations) == 1:
        return [judgement_alone(observations[0], email)]
    burst = _bursts(observations, email)
    after_hits = _AfterCertainHits()
    echoes = _Echoes()
    judgements: list[Judgement] = []
    for at, group in groupby(enumerate(observations), key=lambda item: item[1].at):
        together = list(group)
        for place, seen in together:  # of the same second: which of them came first is not known
            after_hits.note(seen, is_burst=place in burst)
        for place, seen in together:
            if seen.impression.verdict is not None:
                judgements.append(judgement_alone(seen, email))
            elif place in burst:
                judgements.append(_certain(seen, Verdict.SCANNER, Reason.LINK_BURST))
            elif seen.standing is not None:
                judgements.append(seen.standing)
            elif verdict := after_hits.verdict_on(seen, at):
                judgements.append(_certain(seen, verdict, Reason.AFTER_CERTAIN_HIT))
            elif seen.link is not None and echoes.is_echo(seen, seen.link):
                judgements.append(_certain(seen, Verdict.SCANNER, Reason.ECHOED_CLICK))
            else:
                judgements.append(judgement_alone(seen, email))
    return judgements


def judgement_alone(seen: Observation, email: Circumstances) -> Judgement:
    """Judge by the report itself and by the moment; certain, or by the sum of suspicions."""
    if seen.standing is not None:
        return seen.standing
    impression, is_click = seen.impression, seen.link is not None
    if is_click and impression.verdict is None:
        if _is_instant(seen.at, email):
            impression = impression.doubted(Reason.INSTANT_CLICK, INSTANT_POINTS)
        if email.first_open_at is None or email.first_open_at > seen.at:
            impression = impression.doubted(Reason.CLICK_WITHOUT_OPEN)
    return impression.judgement(is_click=is_click)


def _is_instant(at: datetime, email: Circumstances) -> bool:
    if email.delivered_at is not None and at >= email.delivered_at - CLOCKS_DIFFER:
        return at <= email.delivered_at + INSTANT
    return email.sent_at <= at <= email.sent_at + INSTANT_AFTER_SENDING


def _certain(seen: Observation, verdict: Verdict, reason: Reason) -> Judgement:
    return Judgement(verdict, (*seen.impression.reasons, reason.value), SURE)


def _bursts(observations: Sequence[Observation], email: Circumstances) -> set[int]:
    places = [
        place
        for place, seen in enumerate(observations)
        if seen.link is not None and seen.impression.verdict is not Verdict.SELF
    ]
    clicks = [LinkClick(observations[place].at, observations[place].link or ("", "")) for place in places]
    return {places[place] for place in burst_places(clicks, links_in_email=email.links)}


class _AfterCertainHits:
    """Rule 13: whoever was certainly seen through stays seen through for a while, by address or agent."""

    def __init__(self) -> None:
        self._by_address: dict[tuple[str, bool], tuple[datetime, Verdict]] = {}
        self._by_agent: dict[tuple[str, bool], tuple[datetime, Verdict]] = {}

    def note(self, seen: Observation, *, is_burst: bool) -> None:
        impression = seen.impression
        verdict = impression.verdict or (Verdict.SCANNER if is_burst else None)
        if verdict is None or verdict.is_human:
            return
        # Prefetching tells of images; it says nothing of who follows links later.
        taints = (False,) if verdict is Verdict.MACHINE_OPEN else (False, True)
        # Scanners that are known by where they come from, or by their haste, borrow the agents of ordinary browsers.
        by_agent = impression.verdict is not None and impression.reasons[0] not in _SAYS_NOTHING_OF_AGENT
        for is_click in taints:
            if seen.ip_address:
                self._by_address[seen.ip_address, is_click] = (seen.at, verdict)
            if by_agent and seen.user_agent:
                self._by_agent[seen.user_agent, is_click] = (seen.at, verdict)

    def verdict_on(self, seen: Observation, at: datetime) -> Verdict | None:
        is_click = seen.link is not None
        for hit in (self._by_address.get((seen.ip_address, is_click)), self._by_agent.get((seen.user_agent, is_click))):
            if hit and at - hit[0] <= REACH:
                return hit[1]
        return None


_SAYS_NOTHING_OF_AGENT: Final = frozenset({Reason.KNOWN_NETWORK, Reason.OWN_VIEW})


class _Echoes:
    """Rule 14: a scanner follows the link that a person just followed, from elsewhere and on another system."""

    def __init__(self) -> None:
        self._followed: dict[Link, dict[tuple[str, str], datetime]] = {}

    def is_echo(self, click: Observation, link: Link) -> bool:
        """Say whether it repeats a person's click; if not, it is one that may be repeated."""
        source = address, system = click.ip_address, system_of(click.user_agent)
        if not (address and system):
            return False
        followed = self._followed.setdefault(link, {})
        for (earlier_address, earlier_system), at in reversed(followed.items()):
            if click.at - at > ECHO_TIME:
                break
            if earlier_address != address and earlier_system != system:
                return True
        followed.pop(source, None)
        followed[source] = click.at
        if len(followed) > SOURCES_COMPARED:
            del followed[next(iter(followed))]
        return False
