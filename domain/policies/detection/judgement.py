"""What a look at an open or a click ends in, and the reasons by which it is explained and looked at again.

Source:
    BR-558.7 Bot detection: exclude known email security scanners; nothing is dropped, everything is judged.
"""

from enum import StrEnum
from functools import lru_cache
from typing import Final

import msgspec

from domain.values import Verdict

RULE_VERSION: Final = 2
"""Raised whenever the rules judge something differently; `mailpulse rejudge` applies them to what is kept."""


class Reason(StrEnum):
    """Names of rules as they are stored and shown; never renamed, else nobody can tell why an old fact was judged."""

    PROVIDER_FLAG = "provider_flag"
    OWN_VIEW = "own_view"
    HEAD_REQUEST = "head_request"
    PREFETCH_REQUEST = "prefetch_request"
    IMAGE_PROXY = "image_proxy"
    PREFETCH_AGENT = "prefetch_agent"
    GATEWAY_AGENT = "gateway_agent"
    LIBRARY_AGENT = "library_agent"
    NO_AGENT = "no_agent"
    PREVIEW_AGENT = "preview_agent"
    CRAWLER_AGENT = "crawler_agent"
    KNOWN_NETWORK = "known_network"
    SUSPICIOUS_AGENT = "suspicious_agent"
    SUSPICIOUS_NETWORK = "suspicious_network"
    SHARED_ADDRESS = "shared_address"
    LINK_BURST = "link_burst"
    AFTER_CERTAIN_HIT = "after_certain_hit"
    ECHOED_CLICK = "echoed_click"
    INSTANT_CLICK = "instant_click"
    CLICK_WITHOUT_OPEN = "click_without_open"


SAID_BY_OTHERS: Final = frozenset(
    {Reason.PROVIDER_FLAG, Reason.OWN_VIEW, Reason.HEAD_REQUEST, Reason.PREFETCH_REQUEST, Reason.NO_AGENT}
)
"""Certain by what the report said and no fact keeps: no later rules can know better."""
SEEN_AT_ONCE: Final = SAID_BY_OTHERS | {
    Reason.IMAGE_PROXY,
    Reason.PREFETCH_AGENT,
    Reason.GATEWAY_AGENT,
    Reason.LIBRARY_AGENT,
    Reason.PREVIEW_AGENT,
    Reason.CRAWLER_AGENT,
    Reason.KNOWN_NETWORK,
}
"""Certain by the report alone, whatever else happens to the email."""
SUSPICIONS: Final = frozenset({Reason.SUSPICIOUS_AGENT, Reason.SUSPICIOUS_NETWORK, Reason.SHARED_ADDRESS})
"""Each is worth one point, by the report alone."""
AUTOMATED_FROM: Final = 2
"""Points at which nobody believes in a person any more."""


TOLD: Final = 1.0
SURE: Final = 0.95
LIKELY: Final = 0.8
UNSUSPECTED: Final = 0.9
DOUBTED: Final = 0.6
"""Confidence in a verdict: the provider's word, a certain rule, suspicions that add up, no suspicion, one."""


class Judgement(msgspec.Struct, frozen=True, gc=False):
    """Who is thought to have caused an open or a click.

    Attributes:
        verdict: Decides whether it counts as human.
        reasons: Names of the rules that fired, empty for an unsuspicious report.
        confidence: 0.0 to 1.0.
    """

    verdict: Verdict
    reasons: tuple[str, ...] = ()
    confidence: float = 1.0


class Impression(msgspec.Struct, frozen=True, gc=False):
    """What one report says by itself, before its neighbours in time are looked at.

    Attributes:
        verdict: If it is certain; ``None``: people and machines remain possible.
        score: Points of suspicion while it is not certain.
        reasons: Names of the rules that fired.
    """

    verdict: Verdict | None = None
    score: int = 0
    reasons: tuple[str, ...] = ()

    def judgement(self, *, is_click: bool) -> Judgement:
        """Say what follows from it if nothing else speaks for or against a person."""
        if self.verdict is not None:
            return Judgement(self.verdict, self.reasons, TOLD if Reason.PROVIDER_FLAG in self.reasons else SURE)
        if self.score >= AUTOMATED_FROM:
            return Judgement(Verdict.SCANNER if is_click else Verdict.MACHINE_OPEN, self.reasons, LIKELY)
        return Judgement(Verdict.HUMAN, self.reasons, DOUBTED) if self.reasons else _UNSUSPECTED

    def doubted(self, reason: Reason, points: int = 1) -> "Impression":
        """Give the impression with one suspicion more; a certain one stays what it is."""
        if self.verdict is not None or reason in self.reasons:
            return self
        return Impression(None, self.score + points, (*self.reasons, reason.value))


_UNSUSPECTED: Final = Judgement(Verdict.HUMAN, (), UNSUSPECTED)
PLAIN: Final = Impression()
"""Of a report against which nothing speaks."""


@lru_cache(1_024)  # few combinations occur, each for a great many facts
def impression_kept(verdict: Verdict, reasons: tuple[str, ...]) -> Impression:
    """Recover from a stored judgement what its report said by itself; that needs neither address nor agent."""
    if not reasons:
        return PLAIN
    if not SEEN_AT_ONCE.isdisjoint(reasons):
        return Impression(verdict, 0, reasons)
    suspicions = tuple(reason for reason in reasons if reason in SUSPICIONS)
    return Impression(None, len(suspicions), suspicions) if suspicions else PLAIN
