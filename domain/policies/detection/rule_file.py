"""The form in which people write detection rules: one a line.

.. code-block:: text

    # a remark
    192.0.2.0/24  clicks  certain
    agent gateway Acme Mail Guard
    agent prefetch =Mozilla/5.0
    allow Acme Reader
"""

from collections.abc import Iterator
from ipaddress import ip_network
from typing import Final

from domain.counted import counted
from domain.errors import DomainError
from domain.ip import IpNetwork
from domain.policies.detection.rules import AgentKind, AgentRule, Certainty, DetectionRules, NetworkRule, Scope

SHORTEST_TEXT: Final = 3
LONGEST_TEXT: Final = 500
WIDEST: Final = {4: 8, 6: 16}
"""Shortest prefix by IP version: whoever writes a wider one would shut out a continent."""


class MalformedRulesError(DomainError):
    """Lines of a rules file say nothing that can be understood; none of the file is used.

    Attributes:
        flaws: Number of each such line, from 1, and what is wrong with it.
    """

    code = "malformed_detection_rules"

    def __init__(self, flaws: tuple[tuple[int, str], ...]) -> None:
        super().__init__("; ".join(f"line {number}: {flaw}" for number, flaw in flaws))
        self.flaws = flaws


def parse_rules(text: str) -> DetectionRules:
    """Read the rules of a file.

    Args:
        text: Lines; ``#`` begins a remark where a line or a word begins.

    Raises:
        MalformedRulesError: With every line that is wrong.
    """
    agents: list[AgentRule] = []
    allowed: list[str] = []
    networks: list[NetworkRule] = []
    flaws: list[tuple[int, str]] = []
    for number, line in _lines(text):
        try:
            match line.split(maxsplit=1):
                case ["agent", rest]:
                    agents.append(_agent(rest))
                case ["allow", rest]:
                    allowed.append(_text(rest))
                case ["agent" | "allow" as word]:
                    raise ValueError(f"{word!r} is followed by nothing")
                case _:
                    networks.append(_network(line))
        except ValueError as error:
            flaws.append((number, str(error)))
    if flaws:
        raise MalformedRulesError(tuple(flaws))
    return DetectionRules(agents=tuple(agents), allowed=tuple(allowed), networks=tuple(networks))


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        words = line.split(" #", 1)[0].split("\t#", 1)[0].strip()
        if words and not words.startswith("#"):
            yield number, words


def _agent(rest: str) -> AgentRule:
    kind, _, text = rest.partition(" ")
    try:
        known = AgentKind(kind)
    except ValueError:
        kinds = ", ".join(AgentKind)
        raise ValueError(f"{_shown(kind)} is no kind of agent: give one of {kinds}") from None
    exact = text.strip().startswith("=")
    return AgentRule(known, _text(text.strip().removeprefix("=")), exact)


def _text(raw: str) -> str:
    text = " ".join(raw.split()).lower()
    if not SHORTEST_TEXT <= len(text) <= LONGEST_TEXT:
        raise ValueError(
            f"{_shown(text)} has {counted(len(text), 'character')}: give {SHORTEST_TEXT} to {LONGEST_TEXT} of the user"
            " agent"
        )
    if not text.isprintable():
        raise ValueError(f"{_shown(text)} holds control characters")
    return text


def _network(line: str) -> NetworkRule:
    words = line.split()
    if len(words) != 3:  # noqa: PLR2004  network, scope, certainty
        raise ValueError(
            f"{_shown(line)} is no rule: give a network, opens|clicks|all and certain|probable, as in"
            " '192.0.2.0/24 clicks certain', or begin with 'agent' or 'allow'"
        )
    try:
        network: IpNetwork = ip_network(words[0])
    except ValueError as error:
        raise ValueError(f"{error}: give a network such as 192.0.2.0/24 or 2001:db8::/32") from None
    if network.prefixlen < WIDEST[network.version]:
        raise ValueError(f"{network} is wider than /{WIDEST[network.version]}: name the networks themselves")
    if words[1] not in set(Scope):
        raise ValueError(f"{_shown(words[1])} stands where one of {', '.join(Scope)} is expected")
    if words[2] not in set(Certainty):
        raise ValueError(f"{_shown(words[2])} stands where one of {', '.join(Certainty)} is expected")
    return NetworkRule(network, Scope(words[1]), Certainty(words[2]))


def _shown(text: str) -> str:
    return repr(text if len(text) <= 60 else f"{text[:59]}…")  # noqa: PLR2004  a line stays a line
