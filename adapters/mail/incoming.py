"""Make of an incoming mail what is kept of it: a reply, a delivery report, or a reason why it is neither."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final, TypeAlias

import msgspec

from adapters.mail.automatic import is_automatic, is_list_mail
from adapters.mail.delivery_reports import parts_of, read_parts, report_on
from adapters.mail.headers import Head, address_in, date_in, media_type, message_ids, parameter, quoted_ids, split_head
from adapters.payloads.fields import LONGEST_EVENT_ID
from application.ports.inbound_mail import InboundMail
from application.ports.provider import Ignored
from domain.commands import RecordReply

MOST_TOKENS: Final = 20
_LONGEST_WAY: Final = timedelta(days=7)
"""How long a mail may have been on its way before the clock of its writer is not believed."""
_DIGESTED_BYTES: Final = 64 * 1024
_TOKEN = re.compile(r"\+([a-z2-7]{47})@", re.IGNORECASE)
_RECIPIENT_HEADERS: Final = (
    "delivered-to", "x-original-to", "envelope-to", "x-forwarded-to", "to", "cc", "resent-to", "apparently-to",
)  # fmt: skip
_RECEIPTS: Final = {"disposition-notification": "read_receipt", "feedback-report": "feedback_report"}


class Unreadable(msgspec.Struct, frozen=True):
    """A mail that should have been understood.

    Attributes:
        reason: A sentence that says what is wrong and what to do; nothing of the mail.
    """

    reason: str


Read: TypeAlias = InboundMail | Ignored | Unreadable

NO_STATUS: Final = Unreadable(
    "a delivery report without the part message/delivery-status, or one that names no recipient:"
    " have the mail passed on whole (SendGrid: POST the raw, full MIME message; SES: an SNS action with the content)"
)


def read_mail(mail: bytes, *, received_at: datetime, addressed_to: Sequence[str] = ()) -> list[Read]:
    """Understand a mail as it was on the wire.

    Args:
        mail: Headers, a blank line, and what is never read unless it is a delivery report.
        received_at: Aware UTC.
        addressed_to: Recipients of the envelope.

    Returns:
        One or more; several only for a report about several recipients.
    """
    block, body = split_head(mail)
    head = Head(block)
    return read_parsed(
        head,
        parts_of(head.first("content-type"), body),
        digested=block + body[:_DIGESTED_BYTES],
        received_at=received_at,
        addressed_to=addressed_to,
    )


def read_parsed(
    head: Head,
    parts: Iterator[tuple[str, bytes]],
    *,
    digested: bytes,
    received_at: datetime,
    addressed_to: Sequence[str] = (),
) -> list[Read]:
    """Understand a mail that somebody has taken apart.

    Args:
        head: Its headers.
        parts: Media types and contents of its parts, looked at only if it is a delivery report.
        digested: What identifies it if it has no Message-ID.
        received_at: Aware UTC.
        addressed_to: Recipients of the envelope.
    """
    content_type = head.first("content-type")
    own_id = next(iter(message_ids(head.first("message-id"))), "")
    known_by = (
        own_id
        if 0 < len(own_id) <= LONGEST_EVENT_ID
        else blake2b(own_id.encode() or digested, digest_size=16).hexdigest()
    )
    occurred_at = _believed(date_in(head.first("date")), received_at)
    if media_type(content_type) == "multipart/report":
        kind = parameter(content_type, "report-type").lower() or "delivery-status"
        if kind != "delivery-status":
            return [Ignored(_RECEIPTS.get(kind, "other_report"))]
        return _delivery_report(head, parts, own_id, known_by, occurred_at)
    if is_automatic(head):
        return [Ignored("auto_reply")]
    quoted = quoted_ids(head)
    return [
        InboundMail(
            report=RecordReply(
                message_id=quoted[0] if quoted else "",
                recipient=address_in(head.first("from")) or address_in(head.first("sender", "return-path")),
                occurred_at=occurred_at,
                event_id=known_by,
            ),
            own_id=own_id,
            quoted_ids=quoted,
            reply_tokens=_tokens([*addressed_to, *head.all_of(*_RECIPIENT_HEADERS)]),
            is_list_mail=is_list_mail(head),
        )
    ]


def _delivery_report(
    head: Head, parts: Iterator[tuple[str, bytes]], own_id: str, known_by: str, occurred_at: datetime
) -> list[Read]:
    found = read_parts(parts)
    # The email's own id first; servers that return no headers quote it as a person would.
    quoted = tuple(dict.fromkeys((*message_ids(found.returned.first("message-id"))[:1], *quoted_ids(head))))
    outcomes: list[Read] = []
    for status in found.recipients:
        report = report_on(status, message_id=quoted[0] if quoted else "", occurred_at=occurred_at, event_id=known_by)
        outcomes.append(
            Ignored("relayed")
            if report is None
            else InboundMail(
                report=report,
                own_id=own_id,
                quoted_ids=quoted,
                reply_tokens=_tokens(found.returned.all_of("reply-to")),
                is_named=status.has("original-recipient") or _is_named(report.recipient, found.returned),
            )
        )
    return outcomes or [NO_STATUS]


def _is_named(address: str, returned: Head) -> bool:
    """Whether an email's headers name somebody among those whom it was sent to."""
    named = " ".join(returned.all_of("to", "cc"))[:_DIGESTED_BYTES].lower()
    return bool(address) and re.search(rf"(?<![\w.+-]){re.escape(address)}(?![\w.-])", named) is not None


def _tokens(values: Iterator[str] | Sequence[str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for value in values:
        for token in _TOKEN.findall(value):
            found.setdefault(token.lower())
    return tuple(found)[:MOST_TOKENS]


def _believed(written_at: datetime | None, received_at: datetime) -> datetime:
    if written_at is None or not received_at - _LONGEST_WAY <= written_at <= received_at:
        return received_at
    return written_at
