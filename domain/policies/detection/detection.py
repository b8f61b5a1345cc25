"""The rules at work: what a report says by itself."""

from functools import lru_cache
from typing import Final

from domain.commands import RecordClick, RecordOpen
from domain.policies.detection.agents import Agents
from domain.policies.detection.built_in import built_in_rules
from domain.policies.detection.judgement import SAID_BY_OTHERS, Impression, Judgement, Reason
from domain.policies.detection.networks import Networks
from domain.policies.detection.rules import DetectionRules
from domain.values import Signal, Verdict

AGENTS_REMEMBERED: Final = 8_192
ADDRESSES_REMEMBERED: Final = 32_768

_BY_SIGNAL: Final = (
    (Signal.OWN_VIEW, Impression(Verdict.SELF, 0, (Reason.OWN_VIEW.value,))),
    (Signal.HEAD, Impression(Verdict.SCANNER, 0, (Reason.HEAD_REQUEST.value,))),
    (Signal.PREFETCH, Impression(Verdict.MACHINE_OPEN, 0, (Reason.PREFETCH_REQUEST.value,))),
)
_NO_AGENT: Final = (
    Impression(Verdict.MACHINE_OPEN, 0, (Reason.NO_AGENT.value,)),
    Impression(Verdict.SCANNER, 0, (Reason.NO_AGENT.value,)),
)


class Detection:
    """Judges reports by rules that are read once; agents and addresses repeat, so what they mean is remembered.

    Args:
        rules: Everything that operators may extend.

    Source:
        BR-558.7 Bot detection.
    """

    def __init__(self, rules: DetectionRules) -> None:
        self.rules = rules
        self._of_agent = lru_cache(AGENTS_REMEMBERED)(Agents(rules).impression_of)
        self._of_address = lru_cache(ADDRESSES_REMEMBERED)(Networks(rules.networks).impression_of)

    def impression_of(self, report: RecordOpen | RecordClick) -> Impression:
        """Judge a report by itself: provider, request, agent and address, in the order of the rules."""
        is_click = isinstance(report, RecordClick)
        if report.provider_verdict is not None:
            return Impression(report.provider_verdict, 0, (Reason.PROVIDER_FLAG.value,))
        if not report.signals:
            return self._by_lists(report.user_agent, report.ip_address, is_click=is_click)
        for signal, impression in _BY_SIGNAL:
            if signal in report.signals:
                return impression
        impression = self._by_lists(report.user_agent, report.ip_address, is_click=is_click)
        if Signal.NO_AGENT in report.signals and impression.verdict is None:
            return _NO_AGENT[is_click]
        return impression

    def judge(self, report: RecordOpen | RecordClick) -> Judgement:
        """Judge a report by itself, for good: nothing near it will be looked at."""
        return self.impression_of(report).judgement(is_click=isinstance(report, RecordClick))

    def impression_anew(self, kept: Impression, agent: str, address: str, *, is_click: bool) -> Impression:
        """Judge a kept open or click by itself once more, by these rules.

        Args:
            kept: What was thought of it; stays where its agent and address are gone (privacy mode, erasure), and
                where it rests on what no fact keeps.
            agent: "" if unknown or gone.
            address: As it was kept; "" if unknown or gone.
            is_click: Whether it is a click.
        """
        if not (agent or address) or not SAID_BY_OTHERS.isdisjoint(kept.reasons):
            return kept
        anew = self._by_lists(agent, address, is_click=is_click)
        if anew.verdict is not None:
            return anew
        if Reason.KNOWN_NETWORK in kept.reasons and not _is_whole(address):
            return kept
        if Reason.SUSPICIOUS_NETWORK in kept.reasons and not _is_whole(address):
            anew = anew.doubted(Reason.SUSPICIOUS_NETWORK)
        return anew.doubted(Reason.SHARED_ADDRESS) if Reason.SHARED_ADDRESS in kept.reasons else anew

    def _by_lists(self, agent: str, address: str, *, is_click: bool) -> Impression:
        by_agent = self._of_agent(agent)[is_click]
        if by_agent.verdict is not None or not address:
            return by_agent
        by_address = self._of_address(address)[is_click]
        if by_address.verdict is not None or not by_agent.score:
            return by_address
        if not by_address.score:
            return by_agent
        return Impression(None, by_agent.score + by_address.score, (*by_agent.reasons, *by_address.reasons))


def _is_whole(address: str) -> bool:
    """Say whether an address is there, and no part of it was cut off to protect its owner."""
    return bool(address) and not address.endswith((".0", "::"))


BUILT_IN: Final = Detection(built_in_rules())
"""Judges by the rules that come with the product, without the list of crawlers."""
