"""The form in which incoming mails lie in the inbox and among parked reports: facts, none of their words.

A list of JSON objects, so that each is an item like any other of a delivery.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from adapters.mail.incoming import Read, Unreadable
from adapters.payloads.fields import InvalidFieldError, optional_text
from adapters.payloads.items import read_items, translate_items
from application.ports.inbound_mail import InboundMail
from application.ports.provider import Ignored, Outcome

EVENT_TYPE: Final = "inbound_mail"
_PREFIX: Final = b'[{"event_type":"inbound_mail"'
_LONGEST: Final = 500


def kept_items(found: Sequence[Read]) -> list[dict[str, Any]]:
    """Give what is kept of a mail, as items of a delivery."""
    return [{"event_type": EVENT_TYPE, **_told(one)} for one in found]


def kept_body(found: Sequence[Read]) -> bytes:
    """Give what is kept of a mail, as a whole delivery."""
    return msgspec.json.encode(kept_items(found))


def is_kept_body(body: bytes) -> bool:
    """Whether a delivery is what `kept_body` gave."""
    return body.startswith(_PREFIX)


def read_kept_body(body: bytes) -> list[Outcome]:
    """Read what `kept_body` gave.

    Raises:
        MalformedDeliveryError: It is something else.
    """
    return translate_items(read_items(body), read_kept_item, lambda _: "")


def read_kept_item(item: Mapping[str, Any]) -> Outcome:
    """Read one of what `kept_items` gave.

    Raises:
        InvalidFieldError: The mail could not be read; or somebody wrote the item by hand.
    """
    if item.get("event_type") != EVENT_TYPE:
        raise InvalidFieldError("event_type", "expected inbound_mail")
    if "ignored" in item:
        return Ignored(optional_text(item, "ignored", _LONGEST))
    if "unreadable" in item:
        raise InvalidFieldError("mail", optional_text(item, "unreadable", _LONGEST))
    try:
        return msgspec.convert(item.get("mail"), InboundMail)
    except msgspec.ValidationError as error:
        raise InvalidFieldError("mail", "not as Mailpulse keeps it") from error


def _told(one: Read) -> dict[str, Any]:
    match one:
        case Ignored():
            return {"ignored": one.reason}
        case Unreadable():
            return {"unreadable": one.reason}
        case InboundMail():
            return {"mail": one}
