"""Emails sent by any other system: the use case's own input data, signed by the Standard Webhooks specification.

Signature: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (read 2026-11).
"""

# Not by the `standardwebhooks` package: its tolerance is fixed at five minutes by the system clock, it takes one key
# at a time and decodes the body as text; ours is a setting, keys rotate, and the raw bytes are what was signed.

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Any, ClassVar

from adapters.mail.incoming import read_mail
from adapters.mail.json_items import with_mails_cut
from adapters.mail.kept_form import EVENT_TYPE, kept_body, read_kept_item
from adapters.payloads.bounces import bounce_kind, bounce_reason
from adapters.payloads.facts import Facts
from adapters.payloads.fields import (
    DETAIL_CUT,
    LINK_TEXT_CUT,
    LONGEST_EVENT_ID,
    LONGEST_URL,
    USER_AGENT_CUT,
    InvalidFieldError,
    Metadata,
    agent_signals,
    ip_address,
    link_position,
    optional_event_id,
    optional_text,
    required_text,
    small_metadata,
)
from adapters.payloads.instants import read_instant
from adapters.payloads.items import read_items, translate_items
from application.ports.provider import Ignored, InvalidVerificationKeyError, Outcome, SignatureRefusedError
from domain.commands import (
    RecordBounce,
    RecordClick,
    RecordDeferral,
    RecordDelivery,
    RecordDrop,
    RecordOpen,
    RecordReply,
    RecordSpamReport,
    RecordUnsubscribe,
)
from domain.errors import InvalidMessageIdError
from domain.values import BounceKind, normalise_address, normalise_message_id

_ID_HEADER = "webhook-id"
_TIMESTAMP_HEADER = "webhook-timestamp"
_SIGNATURE_HEADER = "webhook-signature"
_EXPECTED_KEY = 'expected "whsec_" and the base64 text of 24 to 64 random bytes (at least 16, at most 128)'
_SHORTEST_KEY, _LONGEST_KEY = 16, 128  # bytes; the specification asks for 24 to 64, older systems give others
_MOST_SIGNATURES = 16
_MOST_BODY_BYTES = 10 * 1024 * 1024
_MOST_MAIL_BYTES = 40 * 1024 * 1024  # attachments of 25 MB are 34 MB on the wire
_MAIL_TYPE = "message/rfc822"
_MAIL_WORDS = (b"nbound_", b"NBOUND_")
_REASON_WORD = re.compile(r"[a-z][a-z0-9_]{0,63}")


class GenericEmail:
    """The use case's input data, proven by HMAC-SHA256 over id, time and raw body."""

    name: ClassVar[str] = "email"
    signed_headers: ClassVar[frozenset[str]] = frozenset({_ID_HEADER})
    default_tolerance_s: ClassVar[int | None] = 300

    def check_key(self, key: str) -> None:
        _secret(key)

    def normalise_message_id(self, raw: str) -> str:
        return normalise_message_id(raw)

    async def verify(
        self, headers: Mapping[str, str], body: bytes, keys: Sequence[str], *, now: datetime, tolerance_s: int | None
    ) -> None:
        message_id, timestamp = headers.get(_ID_HEADER, ""), headers.get(_TIMESTAMP_HEADER, "")
        signatures = headers.get(_SIGNATURE_HEADER, "")
        if not message_id or not timestamp or not signatures:
            raise SignatureRefusedError("missing")
        if not (timestamp.isascii() and timestamp.isdigit()):
            raise SignatureRefusedError("malformed")
        try:
            signed = f"{message_id}.{timestamp}.".encode("latin-1") + body
        except UnicodeEncodeError as error:
            raise SignatureRefusedError("malformed") from error
        given = [word[3:].encode() for word in signatures.split(" ")[:_MOST_SIGNATURES] if word.startswith("v1,")]
        if not given:
            raise SignatureRefusedError("malformed")
        expected = [b64encode(digest(_secret(key), signed, sha256)) for key in keys]
        if not any(compare_digest(one, other) for one in expected for other in given):
            raise SignatureRefusedError("mismatch")
        if tolerance_s is not None and abs(now.timestamp() - int(timestamp[:18])) > tolerance_s:
            raise SignatureRefusedError("expired")

    def translate(self, headers: Mapping[str, str], body: bytes) -> list[Outcome]:
        items = read_items(body)
        # The header names the delivery. It can stand in for the id of the event only where there is but one.
        delivery_id = "" if items.is_array else headers.get(_ID_HEADER, "")[:LONGEST_EVENT_ID]
        return translate_items(items, lambda item: _read(item, delivery_id), _message_id_as_far_as_known)

    def most_bytes(self, headers: Mapping[str, str]) -> int:
        return _MOST_MAIL_BYTES if _is_mail(headers) else _MOST_BODY_BYTES

    def without_words(self, headers: Mapping[str, str], body: bytes, received_at: datetime) -> bytes:
        if _is_mail(headers):
            return kept_body(read_mail(body, received_at=received_at))
        return with_mails_cut(body, received_at) if any(word in body for word in _MAIL_WORDS) else body


def _read(item: dict[str, Any], delivery_id: str) -> Outcome:
    event_type = required_text(item, "event_type", LONGEST_URL).lower()
    if event_type == EVENT_TYPE:
        return read_kept_item(item)
    if event_type in _ACCEPTED:
        return Ignored("accepted")
    report = _REPORTS.get(event_type)
    if report is None:
        # Not ignored as an unknown event of a vendor would be: whoever signs this chose the word and can mend it.
        raise InvalidFieldError("event_type", f"expected one of {', '.join(_REPORTS)}")
    return report(
        item,
        {
            "message_id": normalise_message_id(required_text(item, "message_id", LONGEST_URL)),
            "recipient": normalise_address(required_text(item, "recipient", LONGEST_URL)),
            "occurred_at": read_instant(item.get("timestamp")),
            "event_id": optional_event_id(item, "event_id") or delivery_id,
            "metadata": _metadata(item),
        },
    )


def _is_mail(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == _MAIL_TYPE


def _delivered(item: dict[str, Any], facts: Facts) -> Outcome:
    return RecordDelivery(**facts, detail=optional_text(item, "detail", DETAIL_CUT))


def _deferred(item: dict[str, Any], facts: Facts) -> Outcome:
    return RecordDeferral(**facts, detail=optional_text(item, "detail", DETAIL_CUT))


def _opened(item: dict[str, Any], facts: Facts) -> Outcome:
    return RecordOpen(
        **facts,
        ip_address=ip_address(item.get("ip_address")),
        user_agent=optional_text(item, "user_agent", USER_AGENT_CUT),
        signals=agent_signals(item, "user_agent"),
    )


def _clicked(item: dict[str, Any], facts: Facts) -> Outcome:
    return RecordClick(
        **facts,
        url=required_text(item, "url", LONGEST_URL),
        link_position=link_position(item.get("link_position")),
        link_text=optional_text(item, "link_text", LINK_TEXT_CUT),
        ip_address=ip_address(item.get("ip_address")),
        user_agent=optional_text(item, "user_agent", USER_AGENT_CUT),
        signals=agent_signals(item, "user_agent"),
    )


def _bounced(item: dict[str, Any], facts: Facts) -> Outcome:
    said = optional_text(item, "bounce_type", DETAIL_CUT).lower()
    if said and said not in _BOUNCE_KINDS:
        raise InvalidFieldError("bounce_type", f"expected one of {', '.join(_BOUNCE_KINDS)}")
    words = optional_text(item, "bounce_reason", DETAIL_CUT)
    reason = words if _REASON_WORD.fullmatch(words) else bounce_reason("", words)
    kind = _BOUNCE_KINDS.get(said) or bounce_kind(reason, "", words, otherwise=BounceKind.SOFT)
    return RecordBounce(**facts, bounce_kind=kind, reason=reason, detail="" if reason == words else words)


def _dropped(item: dict[str, Any], facts: Facts) -> Outcome:
    words = optional_text(item, "bounce_reason", DETAIL_CUT) or optional_text(item, "detail", DETAIL_CUT)
    reason = words if _REASON_WORD.fullmatch(words) else ""
    return RecordDrop(**facts, reason=reason, detail="" if reason == words else words)


def _reported_as_spam(item: dict[str, Any], facts: Facts) -> Outcome:
    return RecordSpamReport(**facts, detail=optional_text(item, "detail", DETAIL_CUT))


def _unsubscribed(item: dict[str, Any], facts: Facts) -> Outcome:
    return RecordUnsubscribe(**facts, detail=optional_text(item, "detail", DETAIL_CUT))


def _replied(item: dict[str, Any], facts: Facts) -> Outcome:
    return RecordReply(**facts, detail=optional_text(item, "detail", DETAIL_CUT))


# The use case's short words, and those of the table engagement_tracking.
_REPORTS: dict[str, Callable[[dict[str, Any], Facts], Outcome]] = {
    "open": _opened,
    "click": _clicked,
    "bounce": _bounced,
    "spam": _reported_as_spam,
    "unsubscribe": _unsubscribed,
    "delivered": _delivered,
    "reply": _replied,
    "deferred": _deferred,
    "dropped": _dropped,
    "opened": _opened,
    "clicked": _clicked,
    "bounced": _bounced,
    "spam_reported": _reported_as_spam,
    "unsubscribed": _unsubscribed,
    "replied": _replied,
}
_ACCEPTED = frozenset({"sent", "accepted", "processed"})
_BOUNCE_KINDS = {str(kind): kind for kind in BounceKind}


def _metadata(item: dict[str, Any]) -> Metadata | None:
    metadata = item.get("metadata")
    return small_metadata(metadata.items()) if isinstance(metadata, dict) else None


def _message_id_as_far_as_known(item: dict[str, Any]) -> str:
    try:
        return normalise_message_id(required_text(item, "message_id", LONGEST_URL))
    except (InvalidFieldError, InvalidMessageIdError):
        return ""


def _secret(key: str) -> bytes:
    encoded = key.removeprefix("whsec_")
    try:
        secret = b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError as error:
        raise InvalidVerificationKeyError(_EXPECTED_KEY) from error
    if encoded == key or not _SHORTEST_KEY <= len(secret) <= _LONGEST_KEY:
        raise InvalidVerificationKeyError(_EXPECTED_KEY)
    return secret
