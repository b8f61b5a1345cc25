"""The words of the pages: what happened, not how it is stored."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

DID: Final[Mapping[str, str]] = {
    "open": "Opened",
    "click": "Clicked",
    "reply": "Replied",
    "delivered": "Delivered",
    "bounce": "Bounced",
    "spam": "Marked as spam",
    "unsubscribe": "Unsubscribed",
}
VERDICTS: Final[Mapping[str, str]] = {
    "human": "a person",
    "proxy_open": "a person, behind their mail provider's image proxy",
    "machine_open": "a mail program fetching ahead",
    "scanner": "a security scanner",
    "preview": "a link preview of a chat or social network",
    "self": "the sender",
}
REASONS: Final[Mapping[str, str]] = {"hard_bounced": "an email came back", "unsubscribed": "unsubscribed"}
CONSENTS: Final[Mapping[str, str]] = {
    "opted_in": "opens and clicks are recorded",
    "opted_out": "opens and clicks are not recorded",
}
LONGEST_IN_LIST: Final = 120
_STEPS: Final = (
    (timedelta(minutes=1), timedelta(seconds=1), "just now"),
    (timedelta(hours=1), timedelta(minutes=1), "{} min ago"),
    (timedelta(days=1), timedelta(hours=1), "{} h ago"),
    (timedelta(days=2), timedelta(days=1), "yesterday"),
    (timedelta(days=60), timedelta(days=1), "{} days ago"),
    (timedelta(days=730), timedelta(days=30), "{} months ago"),
)


def ago(moment: datetime, now: datetime) -> str:
    """Say how long ago something was, as people do."""
    age = now - moment
    if age < -timedelta(minutes=1):
        return "soon"
    return next(
        (text.format(age // unit) for limit, unit, text in _STEPS if age < limit), f"{age.days // 365} years ago"
    )


def local(moment: datetime, zone: str) -> datetime:
    """Give a moment as clocks in a zone of the IANA database show it."""
    return moment.astimezone(UTC if zone == "UTC" else ZoneInfo(zone))


def shortened(text: str) -> str:
    """Give a text as a list shows it; the end of a long one is on the page that the list leads to."""
    return text if len(text) <= LONGEST_IN_LIST else f"{text[: LONGEST_IN_LIST - 1].rstrip()}…"


def rate(value: float | None) -> str:
    """Say a percentage with one decimal; what was not measured is no zero."""
    return "n/a" if value is None else f"{value:.1f} %"


def did(event_type: str) -> str:
    """Say what happened."""
    return DID.get(event_type, event_type.replace("_", " ").capitalize())


def thing(event: Any) -> str:
    """Say what a click was about: the link's words where they are known, else where it leads."""
    data = getattr(event, "event_data", None) or {}
    return str(data.get("link_text") or event.url or "")
