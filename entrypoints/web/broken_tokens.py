"""How many broken tokens each network may send, so that nobody's guessing fills our logs and metrics unnoticed."""

from collections import Counter
from collections.abc import Callable
from ipaddress import IPv6Address, ip_network
from typing import Final

from domain.ip import IpAddress

BROKEN_PER_MINUTE: Final = 30
_MINUTE_S: Final = 60.0
_MOST_NETWORKS: Final = 10_000
_IPV6_PREFIX: Final = 64


class BrokenTokens:
    """Counts in this process, in windows of a minute; good tokens are never refused, whoever else is behind an address.

    Args:
        monotonic: Gives seconds.
        per_minute: Broken tokens of one network that are answered as such.
    """

    def __init__(self, monotonic: Callable[[], float], *, per_minute: int = BROKEN_PER_MINUTE) -> None:
        self._monotonic = monotonic
        self._per_minute = per_minute
        self._window_ends = 0.0
        self._counts: Counter[str] = Counter()

    def wait_s(self, client: IpAddress | None) -> float:
        """Count a broken token.

        Returns:
            0.0 if it is within the limit, else the seconds until the next window.
        """
        now = self._monotonic()
        if now >= self._window_ends:
            self._window_ends = now + _MINUTE_S
            self._counts.clear()
        network = _network_of(client)
        if network not in self._counts and len(self._counts) >= _MOST_NETWORKS:
            network = ""  # so many at once are counted as one
        self._counts[network] += 1
        return self._window_ends - now if self._counts[network] > self._per_minute else 0.0


def _network_of(client: IpAddress | None) -> str:
    if isinstance(client, IPv6Address):
        return str(ip_network((client, _IPV6_PREFIX), strict=False))
    return str(client or "")
