"""Tells from a user agent on what kind of device, and in which mail program, an email was read."""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Final

from read_models.engagement.agent import Agent

if TYPE_CHECKING:
    from ua_parser import PartialResult

MOST_KEPT: Final = 10_000
LONGEST_READ: Final = 1024
"""Characters; what tells stands before that, and no agent may buy more time."""

# By ua-parser's family. The proxies fetch on behalf of somebody whose device nobody knows.
_MAIL_PROXIES: Final = {"GmailImageProxy": "Gmail", "YahooMailProxy": "Yahoo Mail"}
_MAIL_CLIENTS: Final = {
    **_MAIL_PROXIES,
    "Apple Mail": "Apple Mail",
    # In an open: the web view of an app on iOS that shows an email. Apps other than Mail fetch through proxies or
    # name themselves.
    "Mobile Safari UI/WKWebView": "Apple Mail",
    "MacOutlook": "Outlook",
    "Outlook": "Outlook",
    "Outlook-iOS": "Outlook",
    "Thunderbird": "Thunderbird",
    "Windows Live Mail": "Windows Live Mail",
}
_NAMED_IN_AGENT: Final = {
    "Outlook-Android": "Outlook",
    "SamsungEmail": "Samsung Email",
    "Airmail": "Airmail",
    "eM Client": "eM Client",
}
_APPLE_MAIL_PRIVACY_PROTECTION: Final = "Mozilla/5.0"  # nothing else, always

_HANDHELDS: Final = frozenset({"Android", "BlackBerry OS", "iOS", "KaiOS", "Windows Phone"})
_DESKTOPS: Final = frozenset({
    "Arch Linux", "CentOS", "Chrome OS", "Debian", "Fedora", "FreeBSD", "Linux", "Linux Mint", "Mac OS X", "NetBSD",
    "OpenBSD", "Red Hat", "SUSE", "Slackware", "Ubuntu", "Windows",
})  # fmt: skip
_TABLETS: Final = frozenset({"Generic Tablet", "Kindle", "iPad"})
_MACHINES: Final = "Spider"


def read_agent(user_agent: str) -> Agent:
    """Tell device and mail program; "" for what the agent does not say.

    Args:
        user_agent: Raw header, of any length and content; only its first 1,024 characters are read.

    Returns:
        ``device_type`` is ``desktop``, ``mobile``, ``tablet`` or ""; ``email_client`` a name such as ``Gmail`` or "".
        Browsers are no mail programs: webmail that loads images itself says only which browser it runs in.

    Source:
        DB-2: event_data carries device_type and email_client.
    """
    return _read(user_agent[:LONGEST_READ])


def load_patterns() -> None:
    """Load now what the first agent would wait for: a quarter of a second, which somebody would wait for a toast."""
    _parse()


@lru_cache(maxsize=MOST_KEPT)
def _read(user_agent: str) -> Agent:
    said = _parse()(user_agent.encode(errors="replace").decode())  # half surrogate pairs are no text for Rust
    family = said.user_agent.family if said.user_agent else ""
    device_type = "" if family in _MAIL_PROXIES else _device_type(user_agent, said)
    return Agent(device_type=device_type, email_client=_email_client(user_agent, family))


def _device_type(user_agent: str, said: "PartialResult") -> str:
    device, brand = (said.device.family, said.device.brand) if said.device else ("", "")
    system = said.os.family if said.os else ""
    if brand == _MACHINES:
        return ""
    if device in _TABLETS:
        return "tablet"
    if system == "Android" and user_agent.startswith("Mozilla/") and "Mobile" not in user_agent:
        return "tablet"  # browsers on Android say Mobile on phones only
    if system in _HANDHELDS:
        return "mobile"
    return "desktop" if system in _DESKTOPS else ""


def _email_client(user_agent: str, family: str) -> str:
    if user_agent == _APPLE_MAIL_PRIVACY_PROTECTION:
        return "Apple Mail"
    named = next((client for word, client in _NAMED_IN_AGENT.items() if word in user_agent), "")
    return named or _MAIL_CLIENTS.get(family, "")


@cache
def _parse() -> "Callable[[str], PartialResult]":
    # 50 ms and 7 MB to import, 120 ms and 26 MB to load its patterns: only a process that reads agents pays.
    from ua_parser import Domain, RegexResolver, load_lazy_builtins  # noqa: PLC0415

    if RegexResolver is None:
        raise ImportError("ua-parser is installed without its extra 'regex'")
    resolver = RegexResolver(load_lazy_builtins())
    return lambda user_agent: resolver(user_agent, Domain.ALL)
