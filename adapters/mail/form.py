"""Take apart what SendGrid's Inbound Parse posts: a form with a mail in it, whole or in pieces.

Fields: https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/setting-up-the-inbound-parse-webhook
(read 2026-11).
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from multipart import (  # type: ignore[import-untyped]  # annotated throughout, but it ships no py.typed
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
)

from adapters.mail.headers import MOST_HEAD_BYTES, Head, parameter, split_head
from adapters.mail.incoming import Read, Unreadable, read_mail, read_parsed

_RAW, _HEADERS, _ENVELOPE = "email", "headers", "envelope"
_MOST_FIELD_BYTES: Final = 2 * MOST_HEAD_BYTES
_MOST_ENVELOPE_BYTES: Final = 512 * 1024
_MOST_SEGMENTS: Final = 1_000
_MOST_REPORT_PARTS: Final = 8
_SLICE: Final = 256 * 1024
NO_MAIL: Final = Unreadable(
    "the form holds neither the field email (a whole message) nor the field headers: is this address set as"
    " SendGrid's Inbound Parse URL?"
)


def read_form(content_type: str, body: bytes, *, received_at: datetime) -> list[Read]:
    """Understand the mail in a form; its text, pages and attachments are passed over as they go by.

    Args:
        content_type: Of the request, with the boundary.
        body: Of the request.
        received_at: Aware UTC.
    """
    try:
        fields, parts = _fields(content_type, body)
    except (MultipartError, ValueError) as error:
        return [Unreadable(f"not a form as multipart/form-data: {type(error).__name__}")]
    addressed_to = _envelope_recipients(fields.get(_ENVELOPE, b""))
    if _RAW in fields:
        return read_mail(fields[_RAW], received_at=received_at, addressed_to=addressed_to)
    if _HEADERS not in fields:
        return [NO_MAIL]
    block = split_head(fields[_HEADERS])[0]
    return read_parsed(Head(block), iter(parts), digested=block, received_at=received_at, addressed_to=addressed_to)


def _fields(content_type: str, body: bytes) -> tuple[dict[str, bytes], list[tuple[str, bytes]]]:
    boundary = parameter(content_type, "boundary")
    if not boundary:
        raise ValueError("no boundary")
    fields: dict[str, bytearray] = {}
    parts: list[tuple[str, bytearray]] = []
    wanted: bytearray | None = None
    most = 0
    with PushMultipartParser(
        boundary, max_header_size=16 * 1024, max_header_count=32, max_segment_count=_MOST_SEGMENTS
    ) as parser:
        for start in range(0, len(body), _SLICE):
            for event in parser.parse(body[start : start + _SLICE]):
                if isinstance(event, MultipartSegment):
                    wanted, most = _place_for(event, fields, parts)
                elif event and wanted is not None and len(wanted) < most:
                    wanted += event[: most - len(wanted)]
    return {name: bytes(value) for name, value in fields.items()}, [(kind, bytes(part)) for kind, part in parts]


def _place_for(
    segment: MultipartSegment, fields: dict[str, bytearray], parts: list[tuple[str, bytearray]]
) -> tuple[bytearray | None, int]:
    """Say where the bytes of a segment go, and how many of them; nowhere if they are a person's words."""
    name, kind = segment.name or "", segment.content_type or ""
    if name in {_RAW, _HEADERS} and name not in fields:
        return fields.setdefault(name, bytearray()), _MOST_FIELD_BYTES
    if name == _ENVELOPE:
        return fields.setdefault(name, bytearray()), _MOST_ENVELOPE_BYTES
    if (kind.startswith("message/") or kind == "text/rfc822-headers") and len(parts) < _MOST_REPORT_PARTS:
        parts.append((kind, bytearray()))
        return parts[-1][1], _MOST_ENVELOPE_BYTES
    return None, 0


def _envelope_recipients(envelope: bytes) -> list[str]:
    try:
        told: Mapping[str, Any] = msgspec.json.decode(envelope, type=dict[str, Any]) if envelope else {}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return []
    to = told.get("to")
    return [one for one in (to if isinstance(to, list) else [to]) if isinstance(one, str)]
