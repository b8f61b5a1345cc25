"""Which rule an address falls under: ranges sorted once, found by bisection."""

from bisect import bisect_right
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from socket import AF_INET, inet_pton
from typing import Final

from domain.policies.detection.judgement import PLAIN, Impression, Reason
from domain.policies.detection.rules import Certainty, NetworkRule, Scope
from domain.values import Verdict

Pair = tuple[Impression, Impression]
"""Of an open and of a click; a bool that says whether it is a click is the index."""

NOWHERE: Final[Pair] = (PLAIN, PLAIN)
_CERTAIN: Final = Impression(Verdict.SCANNER, 0, (Reason.KNOWN_NETWORK.value,))
_PROBABLE: Final = Impression(None, 1, (Reason.SUSPICIOUS_NETWORK.value,))


class Networks:
    """Looks addresses up; where rules overlap, a certain one wins.

    Args:
        rules: In any order.
    """

    def __init__(self, rules: Sequence[NetworkRule]) -> None:
        self._by_version = {version: _Ranges([r for r in rules if r.network.version == version]) for version in (4, 6)}

    def impression_of(self, address: str) -> Pair:
        """Say what an address means; one that cannot be read means nothing."""
        if ":" not in address:
            return self._meaning_of_ipv4(address)
        try:
            parsed = ip_address(address)
        except ValueError:
            return NOWHERE
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped:
            parsed = parsed.ipv4_mapped
        return self._by_version[parsed.version].at(int(parsed))

    def _meaning_of_ipv4(self, address: str) -> Pair:
        try:  # a tenth of what `ipaddress` costs: addresses of people seldom repeat
            packed = inet_pton(AF_INET, address)
        except (OSError, ValueError):
            return NOWHERE
        return self._by_version[4].at(int.from_bytes(packed))


class _Ranges:
    """Ranges of one IP version, cut where any rule begins or ends."""

    def __init__(self, rules: Sequence[NetworkRule]) -> None:
        bounds = [(int(rule.network.network_address), int(rule.network.broadcast_address) + 1) for rule in rules]
        self._starts = sorted({cut for bound in bounds for cut in bound})
        places = {start: place for place, start in enumerate(self._starts)}
        meanings = [[PLAIN, PLAIN] for _ in self._starts]
        for rule, (first, end) in zip(rules, bounds, strict=True):
            for place in range(places[first], places[end]):
                _apply(rule, meanings[place])
        self._meanings: list[Pair] = [(opens, clicks) for opens, clicks in meanings]

    def at(self, number: int) -> Pair:
        place = bisect_right(self._starts, number) - 1
        return self._meanings[place] if place >= 0 else NOWHERE


def _apply(rule: NetworkRule, meaning: list[Impression]) -> None:
    found = _CERTAIN if rule.certainty is Certainty.CERTAIN else _PROBABLE
    for is_click, scope in ((False, Scope.OPENS), (True, Scope.CLICKS)):
        if rule.scope in {scope, Scope.ALL} and meaning[is_click].verdict is None:
            meaning[is_click] = found
