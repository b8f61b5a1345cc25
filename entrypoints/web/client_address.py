"""Who a request comes from, when proxies that are trusted stand in between."""

import re
from collections.abc import Sequence
from ipaddress import IPv6Address, ip_address
from typing import Final

from litestar.types import HTTPScope

from domain.ip import IpAddress, IpNetwork

_WITH_PORT: Final = re.compile(r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|(\d+\.\d+\.\d+\.\d+):\d{1,5}")


def client_address(peer: str | None, forwarded_for: Sequence[str], trusted: Sequence[IpNetwork]) -> IpAddress | None:
    """Give the last address that somebody we trust has seen.

    Args:
        peer: Other end of the connection; ``None`` or "" behind a Unix socket.
        forwarded_for: Every X-Forwarded-For header, in the order received.
        trusted: Networks of the proxies whose word is believed.

    Returns:
        The peer unless it is trusted, then the rightmost entry that is not; ``None`` where that is no address, for a
        proxy that was given nonsense cannot vouch for what stands left of it.

    Source:
        SEC-2; TRUST.md: rightmost untrusted entry of X-Forwarded-For.
    """
    address = _address(peer or "")
    if address is None or not _is_in(address, trusted):
        return address
    entries = [entry for header in forwarded_for for entry in header.split(",")]
    for entry in reversed(entries):
        if not entry.strip():
            continue  # RFC 9110: empty elements of a list are ignored
        address = _address(entry)
        if address is None or not _is_in(address, trusted):
            break
    return address


def client_of(scope: HTTPScope, trusted: Sequence[IpNetwork]) -> IpAddress | None:
    """Give `client_address` of a request."""
    peer = scope.get("client")
    forwarded_for = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return client_address(peer[0] if peer else None, forwarded_for, trusted)


def _address(text: str) -> IpAddress | None:
    text = text.strip()
    if with_port := _WITH_PORT.fullmatch(text):
        text = with_port[1] or with_port[2]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address


def _is_in(address: IpAddress, networks: Sequence[IpNetwork]) -> bool:
    return any(address in network for network in networks)
