"""Which addresses an outgoing webhook may have, as far as it can be told without asking where a name leads."""

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Final

from domain.ip import IpAddress, IpNetwork
from domain.policies.outgoing_addresses import is_within, may_be_called

LONGEST_URL: Final = 2_000
LONGEST_HOST: Final = 253
LONGEST_LABEL: Final = 63
HIGHEST_PORT: Final = 65_535
EXAMPLE: Final = "https://ats.example.com/mailpulse"

_PARTS: Final = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):(?=//))?(?://)?([^/?#]*)([^#]*)(#.*)?", re.DOTALL)
"""Scheme, authority, path and query, fragment; any text has them."""
_ALLOWED: Final = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]")
_MOST_NAMED: Final = 5
_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_LABEL: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""A last label that makes readers take the whole host for an IPv4 address."""
_NOWHERE: Final = ("invalid", "onion")
"""Ends of names that no resolver knows."""
_AT_HOME: Final = ("localhost", "local", "internal", "home.arpa", "test", "example")
"""Ends of names that lead nowhere on the public internet."""
_LOOPBACK: Final = (IPv4Address("127.0.0.1"), IPv6Address("::1"))
_SEEN_AS: Final = {" ": "a space", "\t": "a tab", "\n": "a line break", "\r": "a line break", "\\": "a backslash"}


def spelled_alike(url: str) -> str:
    """Give an address without flaws in its one spelling: scheme and host in lower case, the rest as it is."""
    scheme, authority, rest, _ = _parts(url)
    return f"{scheme.lower()}://{authority.lower()}{rest}"


def flaws_of(url: str, opened: Iterable[IpNetwork] = ()) -> list[str]:
    """Say everything because of which nothing can be sent to an address; where names lead is seen when it is sent.

    Args:
        url: As somebody wrote it.
        opened: Networks that the operator opens although they are not public.

    Returns:
        A sentence for each, which says what to do; none: it may be registered.

    Source:
        ADR 0019: to public addresses only, unless configured.
    """
    networks = tuple(opened)
    scheme, authority, rest, fragment = _parts(url.strip())  # what surrounds it is told of by itself
    if not authority:
        return [f"has no host: give https://, a host and a path, as in {EXAMPLE}"]
    _, at, where = authority.rpartition("@")
    host, port = _host_and_port(where)
    address = _literal(host)
    return [
        *_flaws_of_text(url, without=host if not host.isascii() else ""),
        *_flaws_of_scheme(scheme, address, networks),
        *(["holds user or password: leave them out, deliveries are proved by their signature"] if at else []),
        *(_flaws_of_address(host, address, networks) if address else _flaws_of_name(host, networks)),
        *_flaws_of_port(port),
        *_flaws_of_rest(rest, fragment),
    ]


def _parts(url: str) -> tuple[str, str, str, str]:
    found = _PARTS.fullmatch(url)
    scheme, authority, rest, fragment = found.groups("") if found else ("", "", "", "")
    return scheme, authority, rest, fragment


def _host_and_port(where: str) -> tuple[str, str | None]:
    if where.startswith("["):
        host, bracket, behind = where.partition("]")
        return host.lower() + bracket, behind[1:] if behind.startswith(":") else behind or None
    host, colon, port = where.partition(":")
    return host.lower(), port if colon else None


def _literal(host: str) -> IpAddress | None:
    try:
        if host.startswith("["):
            return IPv6Address(host.removeprefix("[").removesuffix("]")) if host.endswith("]") else None
        return IPv4Address(host)
    except AddressValueError:
        return None


def _flaws_of_text(url: str, *, without: str) -> Iterator[str]:
    if len(url) > LONGEST_URL:
        yield f"is {len(url):,} characters long: give at most {LONGEST_URL:,}"
    # A host in another script is told of as a host.
    odd = sorted(set(_ALLOWED.sub("", url)) - set(without.lower()) - set(without.upper()))
    for character in odd[:_MOST_NAMED]:
        yield f"holds {_seen(character)}: {_instead(character)}"


def _seen(character: str) -> str:
    unprintable = f"the unprintable character U+{ord(character):04X}"
    return _SEEN_AS.get(character) or (character if character.isprintable() else unprintable)


def _instead(character: str) -> str:
    if not character.isprintable() or character == "\\":
        return "leave it out"
    escaped = "".join(f"%{byte:02X}" for byte in character.encode())
    return f"leave it out, or write it as {escaped}"


def _flaws_of_scheme(scheme: str, address: IpAddress | None, networks: Sequence[IpNetwork]) -> Iterator[str]:
    if not scheme:
        yield f"has no scheme: give https:// first, as in {EXAMPLE}"
    elif scheme.lower() not in {"https", "http"}:
        yield f"begins with {scheme[:20]}:// : give https://"
    elif scheme.lower() == "http" and not (is_within(address, networks) if address else networks):
        yield "begins with http:// : give https://, what is sent tells about people"


def _flaws_of_address(host: str, address: IpAddress, networks: Sequence[IpNetwork]) -> Iterator[str]:
    if isinstance(address, IPv6Address) and address.scope_id is not None:
        yield f"has the zone %{address.scope_id}, which means nothing elsewhere: leave it out"
    elif not may_be_called(address, networks):
        yield f"leads to {host}, which is no public address: nothing is sent there"


def _flaws_of_name(host: str, networks: Sequence[IpNetwork]) -> Iterator[str]:
    if not host:
        yield f"has no host: give one, as in {EXAMPLE}"
        return
    if not host.isascii():
        yield "has a host in another script: give its ASCII form, as in xn--bcher-kva.example.com"
        return
    if host.startswith("["):
        yield f"has {host[:60]} for its host, which is no IPv6 address"
        return
    labels = host.removesuffix(".").split(".")
    if _NUMBER.fullmatch(labels[-1]):
        yield f"has {host[:60]} for its host: write an IPv4 address as four numbers from 0 to 255, without zeros first"
        return
    yield from _flaws_of_labels(host, labels)
    yield from _flaws_of_place(labels, networks)


def _flaws_of_labels(host: str, labels: Sequence[str]) -> Iterator[str]:
    if host.endswith(".") and any(labels):
        yield "has a host that ends in a full stop: leave it out"
    if len(host) > LONGEST_HOST:
        yield f"has a host of {len(host):,} characters: there are at most {LONGEST_HOST}"
        return
    for label in labels:
        if not label:
            yield "has a host with nothing between two full stops, or before the first"
        elif len(label) > LONGEST_LABEL:
            yield f"has {label[:20]}… in its host, {len(label)} characters: there are at most {LONGEST_LABEL} in a row"
        elif not _LABEL.fullmatch(label) or not _is_decodable(label):
            yield f"has {label!r} in its host: there are letters, digits and, within, hyphens"


def _is_decodable(label: str) -> bool:
    if not label.startswith("xn--"):
        return True
    try:
        return not label.removeprefix("xn--").encode().decode("punycode").isascii()
    except UnicodeError:
        return False


def _flaws_of_place(labels: Sequence[str], networks: Sequence[IpNetwork]) -> Iterator[str]:
    name = ".".join(labels)
    if _ends_in(name, _NOWHERE):
        yield f"has the host {name[:60]}, which leads nowhere"
    elif _ends_in(name, ("localhost",)) and not _opens_loopback(networks):
        yield f"has the host {name[:60]}, which leads to no public address: nothing is sent there"
    elif not networks and (_ends_in(name, _AT_HOME) or len(labels) == 1):
        yield f"has the host {name[:60]}, a name of a private network: give one that is public"


def _ends_in(name: str, ends: Iterable[str]) -> bool:
    return any(name == end or name.endswith(f".{end}") for end in ends)


def _opens_loopback(networks: Sequence[IpNetwork]) -> bool:
    return any(is_within(home, networks) for home in _LOOPBACK)


def _flaws_of_port(port: str | None) -> Iterator[str]:
    if port is None:
        return
    is_number = port.isascii() and port.isdigit() and len(port) <= len(str(HIGHEST_PORT))
    if not is_number or not 1 <= int(port) <= HIGHEST_PORT:
        yield f"has {port[:20]!r} for its port: give a number from 1 to {HIGHEST_PORT}, or no colon"


def _flaws_of_rest(rest: str, fragment: str) -> Iterator[str]:
    if _ESCAPE.search(rest):
        yield "has a % that begins no escape: write it as %25"
    if fragment:
        yield "has a part behind #, which is never sent: leave it out"
