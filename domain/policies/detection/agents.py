"""What a user agent means by the words in it."""

import re
from collections.abc import Callable, Sequence
from typing import Final

from domain.policies.detection.judgement import PLAIN, Impression, Reason
from domain.policies.detection.networks import NOWHERE, Pair
from domain.policies.detection.rules import AgentKind, AgentRule, DetectionRules
from domain.values import Verdict

_SCANNER_BY: Final = {
    AgentKind.GATEWAY: Impression(Verdict.SCANNER, 0, (Reason.GATEWAY_AGENT.value,)),
    AgentKind.LIBRARY: Impression(Verdict.SCANNER, 0, (Reason.LIBRARY_AGENT.value,)),
    AgentKind.PREVIEW: Impression(Verdict.PREVIEW, 0, (Reason.PREVIEW_AGENT.value,)),
}
_PROXY: Final = Impression(Verdict.PROXY_OPEN, 0, (Reason.IMAGE_PROXY.value,))
_PREFETCH: Final = Impression(Verdict.MACHINE_OPEN, 0, (Reason.PREFETCH_AGENT.value,))
_CRAWLER: Final = Impression(Verdict.SCANNER, 0, (Reason.CRAWLER_AGENT.value,))
_SUSPECT: Final = Impression(None, 1, (Reason.SUSPICIOUS_AGENT.value,))

Matches = Callable[[str], bool]


class Agents:
    """Reads user agents; the kinds are asked in the order of the rules, and the first that fits decides.

    Args:
        rules: Their agents, allowed texts and crawlers.
    """

    def __init__(self, rules: DetectionRules) -> None:
        self._kinds = {kind: _matcher([rule for rule in rules.agents if rule.kind is kind]) for kind in AgentKind}
        self._allowed = _matcher([AgentRule(AgentKind.PROXY, text) for text in rules.allowed])
        self._crawler = re.compile(rules.crawlers) if rules.crawlers else None

    def impression_of(self, agent: str) -> Pair:
        """Say what an agent means for an open and for a click; "" means that nobody told."""
        if not agent:
            return NOWHERE
        lower = " ".join(agent.split()).lower()
        by_machine = self._impression_of_machine(agent, lower)
        if self._kinds[AgentKind.PROXY](lower):
            return (_PROXY, by_machine)
        if self._kinds[AgentKind.PREFETCH](lower) and not self._allowed(lower):
            return (_PREFETCH, by_machine)
        return (by_machine, by_machine)

    def _impression_of_machine(self, agent: str, lower: str) -> Impression:
        if self._allowed(lower):
            return PLAIN
        for kind, impression in _SCANNER_BY.items():
            if self._kinds[kind](lower):
                return impression
        if self._kinds[AgentKind.SUSPECT](lower):
            return _SUSPECT
        return _CRAWLER if self._crawler and self._crawler.search(agent) else PLAIN


def _matcher(rules: Sequence[AgentRule]) -> Matches:
    whole = {rule.text for rule in rules if rule.exact}
    parts = sorted({rule.text for rule in rules if not rule.exact})
    if not parts:
        return whole.__contains__
    # Where a word begins: "curl" is no part of "securl", and "java/" none of "xjava/".
    search = re.compile(rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, parts))})").search
    return lambda lower: lower in whole or search(lower) is not None


_FIRST_BRACKET: Final = re.compile(r"\(([^;)]+)")


def system_of(agent: str) -> str:
    """Name the system that an agent runs on, as its first bracket does; else the agent's first word."""
    found = _FIRST_BRACKET.search(agent)
    return found[1].strip() if found else agent.partition("/")[0]
