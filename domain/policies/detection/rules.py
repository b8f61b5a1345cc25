"""The lists that detection goes by, as data."""

from enum import StrEnum

import msgspec

from domain.ip import IpNetwork


class AgentKind(StrEnum):
    """What it means if a user agent holds certain words."""

    PROXY = "proxy"
    """Fetches images for a person: the open is human. Of opens only."""
    PREFETCH = "prefetch"
    """Fetches images before anybody looks. Of opens only."""
    GATEWAY = "gateway"
    """A security product looks at what arrives."""
    LIBRARY = "library"
    """A program, not a browser."""
    PREVIEW = "preview"
    """A chat or a network shows what a link leads to."""
    SUSPECT = "suspect"
    """Programs and people use it; worth one point."""


class Scope(StrEnum):
    """What a network's rule is about."""

    OPENS = "opens"
    CLICKS = "clicks"
    ALL = "all"


class Certainty(StrEnum):
    """Whether a network's rule decides alone, or is worth one point."""

    CERTAIN = "certain"
    PROBABLE = "probable"


class AgentRule(msgspec.Struct, frozen=True):
    """Agents of one kind.

    Attributes:
        text: In lower case; found at the beginning of any word of the agent.
        exact: The agent is this text and nothing more.
    """

    kind: AgentKind
    text: str
    exact: bool = False


class NetworkRule(msgspec.Struct, frozen=True):
    """Addresses from which machines come."""

    network: IpNetwork
    scope: Scope
    certainty: Certainty


class DetectionRules(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that may be extended without a release.

    Attributes:
        allowed: Texts, lower case, of agents that are not judged by what they call themselves.
        crawlers: Patterns of a public list of crawlers, joined into one regular expression; "" for none.
    """

    agents: tuple[AgentRule, ...] = ()
    allowed: tuple[str, ...] = ()
    networks: tuple[NetworkRule, ...] = ()
    crawlers: str = ""

    def with_more(self, more: "DetectionRules") -> "DetectionRules":
        """Give these rules and others together."""
        return DetectionRules(
            agents=(*self.agents, *more.agents),
            allowed=(*self.allowed, *more.allowed),
            networks=(*self.networks, *more.networks),
            crawlers="|".join(filter(None, (self.crawlers, more.crawlers))),
        )
