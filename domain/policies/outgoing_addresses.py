"""Where outgoing webhooks may lead: to the public internet, and to networks that the operator names."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

from domain.ip import IpAddress, IpNetwork

# Written out, because what Python calls global differs between its versions.
_CLOSED_4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' own (CGNAT); clouds keep metadata there as well
        "127.0.0.0/8",
        "168.63.129.16/32",  # public by number, yet the host of every machine in Azure
        "169.254.0.0/16",  # link-local: metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # IETF protocols: metadata of Oracle's cloud
        "192.0.2.0/24",  # documentation, like the two below
        "192.88.99.0/24",  # relays to 6to4
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
_OPEN_6: Final = IPv6Network("2000::/3")
"""All that is assigned to the public so far; loopback, link-local, unique local and multicast lie outside."""
_CLOSED_6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # IETF protocols, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: any IPv4 address in disguise
        "3fff::/20",  # documentation
    )
)
_MAPPED: Final = IPv6Network("::ffff:0:0/96")
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")
"""How networks without IPv4 write public IPv4 addresses (NAT64)."""


_SPECIAL: Final[tuple[tuple[str, tuple[IpNetwork, ...]], ...]] = (
    ("this machine, with all that listens on it", (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))),
    (
        "metadata of clouds, where credentials lie",
        (
            IPv4Network("100.100.100.200/32"),
            IPv4Network("168.63.129.16/32"),
            IPv4Network("169.254.169.254/32"),
            IPv4Network("192.0.0.192/32"),
            IPv6Network("fd00:ec2::254/128"),
        ),
    ),
    ("link-local addresses", (IPv4Network("169.254.0.0/16"), IPv6Network("fe80::/10"))),
)
"""What an operator hardly means to open."""
_WIDEST_4: Final = 7
_WIDEST_6: Final = 16
"""Bits of networks that hold a good part of the internet."""


def may_be_called(address: IpAddress, allowed: Iterable[IpNetwork] = ()) -> bool:
    """Whether something may be sent to an address.

    Args:
        address: What a name was resolved to; an IPv4 address in IPv6's clothes is judged as what it is.
        allowed: Networks that the operator opens although they are not public.

    Source:
        ADR 0019: to public addresses only, unless configured.
    """
    meant = _meant(address)
    return is_within(meant, allowed) or _is_public(meant)


def is_within(address: IpAddress, networks: Iterable[IpNetwork]) -> bool:
    """Whether one of the networks holds an address."""
    meant = _meant(address)
    return any(meant in as_meant(network) or address in network for network in networks)


def as_meant(network: IpNetwork) -> IpNetwork:
    """Give a network of IPv4 addresses in IPv6's clothes as what it is: ``::ffff:10.0.0.0/104`` is ``10.0.0.0/8``."""
    if isinstance(network, IPv6Network) and (network.subnet_of(_MAPPED) or network.subnet_of(_TRANSLATED)):
        return IPv4Network((network.network_address.packed[-4:], network.prefixlen - _MAPPED.prefixlen))
    return network


def risks_of(network: IpNetwork) -> list[str]:
    """Say what an operator opens with a network and perhaps did not mean to; nothing for a network of their own."""
    meant = as_meant(network)
    if _holds_much(meant):
        return ["much of the internet without TLS, and whatever of ours lies within"]
    return [words for words, special in _SPECIAL if any(_overlap(meant, one) for one in special)]


def _is_public(address: IpAddress) -> bool:
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _CLOSED_4)
    return address in _OPEN_6 and not any(address in network for network in _CLOSED_6)


def _meant(address: IpAddress) -> IpAddress:
    if isinstance(address, IPv6Address) and (address in _MAPPED or address in _TRANSLATED):
        return IPv4Address(address.packed[-4:])
    return address


def _holds_much(network: IpNetwork) -> bool:
    if isinstance(network, IPv4Network):
        return network.prefixlen <= _WIDEST_4
    return network.prefixlen <= _WIDEST_6 and network.overlaps(_OPEN_6)


def _overlap(one: IpNetwork, other: IpNetwork) -> bool:
    return one.version == other.version and one.overlaps(other)
