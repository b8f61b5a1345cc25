"""Mails among the items of a JSON delivery: ``{"event_type": "inbound_mail", "raw": "<base64>"}``."""

from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec

from adapters.mail.incoming import Read, Unreadable, read_mail
from adapters.mail.kept_form import EVENT_TYPE, kept_body, kept_items
from adapters.payloads.items import read_items
from application.ports.provider import MalformedDeliveryError

NOT_BASE64: Final = Unreadable("raw: expected the base64 text of a whole message, with its headers")


def with_mails_cut(body: bytes, received_at: datetime) -> bytes:
    """Replace each mail by what is kept of it; the other items stay as they are, byte by byte.

    Args:
        body: A delivery as the generic webhook takes it.
        received_at: Aware UTC.
    """
    try:
        items = read_items(body)
    except MalformedDeliveryError as error:
        return kept_body([Unreadable(str(error))])  # it may hold a mail, so not even this is kept
    mails = {index: item for index, item in enumerate(items.values) if _is_mail(item)}
    if not mails:
        return body
    others = [index for index in range(len(items.values)) if index not in mails]
    pieces = dict(zip(others, (alone[1:-1] for alone in items.body_of(others)), strict=True))
    for index, item in mails.items():
        pieces[index] = msgspec.json.encode(kept_items(_read(item, received_at)))[1:-1]
    return b"[" + b",".join(pieces[index] for index in range(len(items.values))) + b"]"


def _is_mail(item: object) -> bool:
    return isinstance(item, dict) and str(item.get("event_type", "")).strip().lower() == EVENT_TYPE


def _read(item: Mapping[str, Any], received_at: datetime) -> list[Read]:
    raw, recipients = item.get("raw"), item.get("recipients")
    try:
        mail = b64decode(raw, validate=True) if isinstance(raw, str) else b""
    except ValueError:
        mail = b""
    if not mail.strip():
        return [NOT_BASE64]
    addressed_to = [one for one in recipients if isinstance(one, str)] if isinstance(recipients, list) else []
    return read_mail(mail, received_at=received_at, addressed_to=addressed_to)
