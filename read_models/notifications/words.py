"""What a notification says: who did what, in one line (UI-3)."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import quote
from uuid import UUID

from domain.counted import counted
from domain.email_facts import Sent
from domain.notification_preferences import Occasion

MOST_COUNTED: Final = 200
"""Causes that a notification remembers; beyond that nobody counts."""

_ONCE: Final = {
    Occasion.OPEN: "{who} just opened {whose} email",
    Occasion.CLICK: "{who} just followed a link in {whose} email",
    Occasion.REPLY: "{who} replied to {whose} email",
    Occasion.BOUNCE: "The email to {who} came back",
}
_AGAIN: Final = {
    Occasion.OPEN: "{who} opened {whose} email {times}",
    Occasion.CLICK: "{who} followed links in {whose} email {times}",
    Occasion.REPLY: "{who} replied to {whose} email {times}",
    Occasion.BOUNCE: "The email to {who} came back {times}",
}
_COUNTED: Final = {"open": "opened", "click": "clicked", "reply": "replied", "bounce": "came back"}


def title(occasion: Occasion, sent: Sent, *, to: str, times: int) -> str:
    """Say what happened.

    Args:
        occasion: What.
        sent: The email.
        to: Whom it is said to.
        times: How often it happened.
    """
    whose = "your" if to == sent.sender.id else f"{sent.sender.name or 'a colleague'}'s"
    if times == 1:
        return _ONCE[occasion].format(who=_who(sent), whose=whose)
    how_often = f"more than {MOST_COUNTED - 1} times" if times >= MOST_COUNTED else counted(times, "time")
    return _AGAIN[occasion].format(who=_who(sent), whose=whose, times=how_often)


def url(email_id: UUID, sent: Sent) -> str:
    """Give the page to go on from: the candidate's (AF-3), or, of other recipients, the email's."""
    if sent.recipient_type == "Candidate":
        return f"/candidates/{quote(sent.recipient_id, safe='')}"
    return f"/emails/{email_id}"


def digest_title(counts: Mapping[str, int]) -> str:
    """Say how much waited."""
    return f"{counted(sum(counts.values()), 'thing')} happened since the last summary"


def digest_text(counts: Mapping[str, int]) -> str:
    """Say what waited, in the order of `Occasion`."""
    return ", ".join(f"{counts[word]} {_COUNTED[word]}" for word in _COUNTED if counts.get(word))


def _who(sent: Sent) -> str:
    return sent.personal.name or sent.personal.address
