"""Mails that Amazon SES receives and publishes over SNS.

Fields: https://docs.aws.amazon.com/ses/latest/dg/receiving-email-notifications-contents.html (read 2026-11).
"""

from base64 import b64decode
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from adapters.mail.headers import Head
from adapters.mail.incoming import Read, Unreadable, read_mail, read_parsed

NOTHING_TOLD: Final = Unreadable(
    "the notification holds neither the mail nor its headers (a mail that a receipt rule puts into S3 is not fetched):"
    " use a receipt rule with an SNS action, encoding Base64, on the topic of this endpoint"
)


def read_ses_mail(event: Mapping[str, Any], *, received_at: datetime) -> list[Read]:
    """Understand a notification of the type ``Received``.

    Without content (it lies in S3, or is above SNS's 150 KB) the headers in the notification tell a reply; a delivery
    report needs its content.

    Args:
        event: What SES says.
        received_at: Aware UTC.
    """
    receipt, mail = _object(event, "receipt"), _object(event, "mail")
    recipients = receipt.get("recipients")
    addressed_to = [one for one in recipients if isinstance(one, str)] if isinstance(recipients, list) else []
    content = event.get("content")
    if isinstance(content, str) and content.strip():
        raw = _whole(content, str(_object(receipt, "action").get("encoding", "")))
        if raw is None:
            return [Unreadable("content: not the base64 text that receipt.action.encoding announces")]
        return read_mail(raw, received_at=received_at, addressed_to=addressed_to)
    block = _block(mail.get("headers"))
    if not block:
        return [NOTHING_TOLD]
    return read_parsed(Head(block), iter(()), digested=block, received_at=received_at, addressed_to=addressed_to)


def _whole(content: str, encoding: str) -> bytes | None:
    if encoding.upper() != "BASE64":
        return content.encode("utf-8", "replace")
    try:
        return b64decode(content)
    except ValueError:
        return None


def _block(headers: object) -> bytes:
    if not isinstance(headers, list):
        return b""
    lines = (
        f"{one['name']}: {one['value']}".replace("\r", " ").replace("\n", " ")
        for one in headers
        if isinstance(one, dict) and isinstance(one.get("name"), str) and isinstance(one.get("value"), str)
    )
    return "\r\n".join(lines).encode("utf-8", "replace")


def _object(item: Mapping[str, Any], field: str) -> Mapping[str, Any]:
    value = item.get(field)
    return value if isinstance(value, dict) else {}
