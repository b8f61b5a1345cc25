"""How the text of a setting becomes a value; each error says what is wrong with it and what is accepted."""

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from domain.ip import IpNetwork

LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
UNSPECIFIED_HOSTS = {"0.0.0.0", "::"}  # noqa: S104  named because nobody can visit them
HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
VISITED_HOST = re.compile(r"\w([\w.-]*\w)?\.?|[0-9a-f.]*:[0-9a-f:.]*")  # urlsplit has read what stands in brackets
SHOWN_CHARACTERS = 60


def shown(text: str) -> str:
    """Quote a wrong value so that it stays short and on one line."""
    return repr(text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…")


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """Give a parser of whole numbers in [lowest, highest]."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,10}", text) or not lowest <= int(text) <= highest:
            raise ValueError(f"is {shown(text)}: give a whole number from {lowest} to {highest}")
        return int(text)

    return parse


def parse_host(text: str) -> str:
    """Accept an IP address or a host name to listen on."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        # Digits and dots alone would be an address, and no valid one.
        if HOST.fullmatch(text) and not re.fullmatch(r"[0-9.]+", text):
            return text
        raise ValueError(f"is {shown(text)}: give an IP address or a host name, without port") from None


def local_url(host: str, port: int) -> str:
    """Give the address at which a browser on this machine reaches a server that listens on host and port."""
    reachable = "localhost" if host in UNSPECIFIED_HOSTS else host
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def parse_public_url(text: str) -> str:
    """Accept ``http(s)://host[:port]`` and give it without its last slash."""
    accepted = "give http:// or https://, a host and no query, as in https://mail.example.com"
    url = _split(text, accepted)
    if url.scheme not in {"http", "https"} or not VISITED_HOST.fullmatch(url.hostname or "") or set("?#@") & set(text):
        raise ValueError(f"is {shown(without_credentials(text) or text.rpartition('@')[2])}: {accepted}")
    if path := url.path.strip("/"):
        raise ValueError(
            f"has the path {shown('/' + path)}, and pages and links work at the root of a host only: "
            "give Mailpulse a host name of its own, as in https://mailpulse.example.com"
        )
    return text.rstrip("/")


def parse_database_url(text: str) -> str:
    """Accept a PostgreSQL URL, or "" for the embedded server; no message shows its password."""
    if not text:
        return ""
    accepted = "give postgresql://user:password@host:port/database, or leave it empty for the embedded server"
    url = _split(text, accepted)
    if url.scheme not in {"postgresql", "postgres"}:
        raise ValueError(f"{_beginning_of(url.scheme)}: {accepted}")
    if not url.path.strip("/"):
        raise ValueError(f"names no database: {accepted}")
    return text


def _beginning_of(scheme: str) -> str:
    return f"starts with {shown(scheme)}" if scheme else "is no URL"


def parse_redis_url(text: str) -> str:
    """Accept a Redis URL, or "" for the embedded server; no message shows its password."""
    if not text:
        return ""
    accepted = "give redis://host:port/0, rediss://… or unix:///path, or leave it empty for the embedded server"
    url = _split(text, accepted)
    if url.scheme not in {"redis", "rediss", "unix"}:
        raise ValueError(f"{_beginning_of(url.scheme)}: {accepted}")
    if not (url.path if url.scheme == "unix" else url.hostname):
        raise ValueError(f"names no server: {accepted}")
    if url.scheme != "unix" and not re.fullmatch(r"(/[0-9]*)?", url.path):  # the client would take database 0
        raise ValueError(f"has {shown(url.path[1:])} for the number of a database: {accepted}")
    return text


def parse_directory(text: str) -> Path:
    """Accept a directory, there or not yet, and give its absolute path."""
    if "\0" in text:
        raise ValueError(f"is {shown(text)}: give the path of a directory")
    try:
        path = Path(text).expanduser().absolute()
    except RuntimeError as error:
        raise ValueError(f"is {shown(text)}, whose user has no home: give the path of a directory") from error
    try:
        is_something_else = path.exists() and not path.is_dir()
    except OSError as error:
        raise ValueError(f"is {shown(text)} ({error.strerror}): give the path of a directory of ours") from error
    if is_something_else:
        raise ValueError(f"is {shown(text)}, which is no directory: give the path of a directory")
    return path


def parse_file(text: str) -> Path | None:
    """Accept a file that is there, or "" for none, and give its absolute path."""
    if not text:
        return None
    try:
        path = Path(text).expanduser().absolute()
        is_file = path.is_file()
    except (RuntimeError, OSError, ValueError) as error:
        raise ValueError(f"is {shown(text)} ({error}): give the path of a file") from error
    if not is_file:
        raise ValueError(f"is {shown(text)}, which is no file: give the path of a file that is there")
    return path


def parse_networks(text: str) -> tuple[IpNetwork, ...]:
    """Read comma-separated addresses and networks, IPv4 and IPv6."""
    return tuple(_network(part.strip()) for part in text.split(",")) if text else ()


def parse_log_level(text: str) -> str:
    """Accept a level in any case and give it in lower case."""
    if text.lower() not in LOG_LEVELS:
        raise ValueError(f"is {shown(text)}: give one of {', '.join(LOG_LEVELS)}")
    return text.lower()


def without_credentials(url: str) -> str:
    """Show where a URL leads without user, password or parameters, any of which may be secret."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2].partition('?')[0]}" if separator else ""


def _network(text: str) -> IpNetwork:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise ValueError(f"has {shown(text)} ({error}): give comma-separated networks such as 10.0.0.0/8") from error


def _split(text: str, accepted: str) -> SplitResult:
    try:
        url = urlsplit(text)
        url.port  # noqa: B018  reading it is the check
    except ValueError as error:
        raise ValueError(f"is no URL: {accepted}") from error
    if re.search(r"\s", text):
        raise ValueError(f"contains white space: {accepted}")
    return url
