"""Delivery reports of mail servers (RFC 3462, 3464): whom an email did not reach, and why.

Postfix, Exchange, Gmail and SES put the status beside the report's words, one level deep: no other level is read, so a
report nested a thousand times costs no more than a plain one.
"""

import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import datetime
from quopri import decodestring
from typing import Final

import msgspec

from adapters.mail.headers import Head, address_in, media_type, parameter, split_head
from adapters.payloads.bounces import bounce_kind, bounce_reason
from adapters.payloads.fields import DETAIL_CUT
from application.ports.inbound_mail import MailReport
from domain.commands import RecordBounce, RecordDeferral, RecordDelivery
from domain.values import BounceKind

MOST_PARTS: Final = 16
MOST_RECIPIENTS: Final = 100
_MOST_PART_BYTES: Final = 256 * 1024
_STATUS_TYPES: Final = {"message/delivery-status", "message/global-delivery-status"}
_RETURNED_TYPES: Final = {"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"}
_BLANK_LINES = re.compile(rb"(?:\r?\n[ \t]*){2,}")
_STATUS = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")


class DeliveryReport(msgspec.Struct, frozen=True):
    """What a mail server reports.

    Attributes:
        recipients: The status of each.
        returned: Headers of the email that it speaks of, as far as they came along.
    """

    recipients: tuple[Head, ...]
    returned: Head


def parts_of(content_type: str, body: bytes) -> Iterator[tuple[str, bytes]]:
    """Give media type and content of the parts of a multipart body, those of its first level only."""
    boundary = parameter(content_type, "boundary").encode("utf-8", "replace")
    if not boundary:
        return
    for part in (b"\n" + body).split(b"\n--" + boundary, MOST_PARTS + 1)[1 : MOST_PARTS + 1]:
        if part.startswith(b"--"):
            return
        head, content = split_head(part.partition(b"\n")[2])
        described = Head(head)
        encoding = described.first("content-transfer-encoding").lower()
        yield media_type(described.first("content-type")), _decoded(content[:_MOST_PART_BYTES], encoding)


def read_parts(parts: Iterator[tuple[str, bytes]]) -> DeliveryReport:
    """Find the status and the returned headers among a report's parts."""
    recipients: list[Head] = []
    returned = Head(b"")
    for kind, content in parts:
        if kind in _STATUS_TYPES:
            recipients += _blocks(content)
        elif kind in _RETURNED_TYPES:
            returned = Head(split_head(content)[0])
    return DeliveryReport(tuple(recipients[:MOST_RECIPIENTS]), returned)


def report_on(status: Head, *, message_id: str, occurred_at: datetime, event_id: str) -> MailReport | None:
    """Say what became of the email for one recipient; ``None`` if it was only passed on."""
    recipient = _recipient(status, "original-recipient") or _recipient(status, "final-recipient")
    found = _STATUS.search(status.first("status")[:200])
    code = found[0] if found else ""
    words = status.first("diagnostic-code").partition(";")[2].strip() or status.first("diagnostic-code")
    action = status.first("action").partition(" ")[0].partition("(")[0].lower()
    facts = {"message_id": message_id, "recipient": recipient, "occurred_at": occurred_at, "event_id": event_id}
    if action == "delivered" or (not action and code.startswith("2")):
        return RecordDelivery(**facts, detail=words[:DETAIL_CUT])  # type: ignore[arg-type]  # a dict of several types
    if action in {"relayed", "expanded"}:
        return None
    if action == "delayed":
        return RecordDeferral(**facts, detail=words[:DETAIL_CUT])  # type: ignore[arg-type]  # as above
    reason = bounce_reason(code, words)
    otherwise = BounceKind.SOFT if code.startswith("4") else BounceKind.HARD
    return RecordBounce(
        **facts,  # type: ignore[arg-type]  # as above
        detail=words[:DETAIL_CUT],
        reason=reason,
        bounce_kind=bounce_kind(reason, code, words, otherwise),
    )


def _blocks(content: bytes) -> Iterator[Head]:
    """Give the fields about each recipient; those about the report itself name none."""
    for block in _BLANK_LINES.split(content.strip(), MOST_RECIPIENTS + 1)[: MOST_RECIPIENTS + 1]:
        fields = Head(block)
        if fields.has("final-recipient", "original-recipient"):
            yield fields


def _recipient(status: Head, field: str) -> str:
    value = status.first(field)
    return address_in(value.partition(";")[2] or value)


def _decoded(content: bytes, encoding: str) -> bytes:
    if encoding == "base64":
        try:
            return b64decode(content)
        except ValueError:
            return content
    return decodestring(content) if encoding == "quoted-printable" else content
