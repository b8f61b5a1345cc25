"""Twilio SendGrid's Event Webhook: what it signs and what its events mean.

Fields: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event (read 2026-11); see docs/providers.md.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

import msgspec
from msgspec import UNSET, UnsetType

from adapters.payloads.bounces import bounce_kind, bounce_reason
from adapters.payloads.facts import Facts
from adapters.payloads.fields import (
    DETAIL_CUT,
    LONGEST_EVENT_ID,
    LONGEST_URL,
    METADATA_CUT,
    USER_AGENT_CUT,
    InvalidFieldError,
    Metadata,
    agent_signals,
    ip_address,
    link_position,
    optional_event_id,
    optional_text,
    problem_with,
    required_text,
    small_metadata,
)
from adapters.payloads.instants import read_instant
from adapters.payloads.items import read_items, read_items_of, translate_items
from adapters.sendgrid_signature import public_key, verify_signature
from application.ports.provider import Ignored, Outcome
from domain.commands import (
    RecordBounce,
    RecordClick,
    RecordDeferral,
    RecordDelivery,
    RecordDrop,
    RecordOpen,
    RecordSpamReport,
    RecordUnsubscribe,
)
from domain.errors import InvalidMessageIdError
from domain.values import (
    LONGEST_ADDRESS,
    LONGEST_MESSAGE_ID,
    BounceKind,
    Signal,
    Verdict,
    normalise_address,
    normalise_message_id,
)

# Custom arguments stand beside SendGrid's own fields, so they are what is left when these are taken away.
# Ids and names of campaigns, templates and unsubscribe groups are left in on purpose.
_OWN_FIELDS = frozenset({
    "asm_group", "attempt", "bounce_classification", "category", "cert_err", "email", "event", "ip", "newsletter",
    "pool", "post_type", "reason", "response", "send_at", "sg_content_type", "sg_event_id", "sg_machine_open",
    "sg_message_id", "sg_user_id", "smtp-id", "status", "timestamp", "tls", "type", "url", "url_offset", "useragent",
})  # fmt: skip

_BY_CLASSIFICATION = {
    "invalid address": "mailbox_does_not_exist",
    "mailbox unavailable": "mailbox_unavailable",
    "content": "spam_content",
    "reputation": "blocked",
    "technical": "technical_failure",
    "technical failure": "technical_failure",
    "frequency/volume": "rate_limited",
    "frequency or volume too high": "rate_limited",
}
_DROP_REASONS = {
    "bounced address": "previously_bounced",
    "unsubscribed address": "previously_unsubscribed",
    "spam reporting address": "previously_reported_spam",
    "invalid": "invalid_address",
    "spam content (if spam checker app enabled)": "spam_content",
    "spam content": "spam_content",
    "invalid smtpapi header": "invalid_request",
    "recipient list over package quota": "over_quota",
}


class UsualItem(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, gc=False):
    """An item as SendGrid usually writes it, without custom arguments; what it does not say is unset."""

    event: str
    email: Annotated[str, msgspec.Meta(max_length=LONGEST_ADDRESS)]
    timestamp: int
    sg_message_id: Annotated[str, msgspec.Meta(max_length=LONGEST_MESSAGE_ID)]
    sg_event_id: Annotated[str, msgspec.Meta(max_length=LONGEST_EVENT_ID)]
    category: str | list[str] | UnsetType = UNSET
    ip: str | UnsetType = UNSET
    useragent: str | UnsetType = UNSET
    url: str | UnsetType = UNSET
    url_offset: dict[str, Any] | UnsetType = UNSET
    response: str | UnsetType = UNSET
    sg_machine_open: bool | UnsetType = UNSET
    # Nothing is made of these, or not of frequent kinds of items.
    asm_group: Any = UNSET
    attempt: Any = UNSET
    bounce_classification: Any = UNSET
    cert_err: Any = UNSET
    newsletter: Any = UNSET
    pool: Any = UNSET
    post_type: Any = UNSET
    reason: Any = UNSET
    send_at: Any = UNSET
    sg_content_type: Any = UNSET
    sg_user_id: Any = UNSET
    smtp_id: Any = msgspec.field(name="smtp-id", default=UNSET)
    status: Any = UNSET
    tls: Any = UNSET
    type: Any = UNSET


_decode_items: Final = msgspec.json.Decoder(list[UsualItem]).decode


class SendGrid:
    """SendGrid's events, proven by ECDSA over timestamp and raw body."""

    name: ClassVar[str] = "sendgrid"
    signed_headers: ClassVar[frozenset[str]] = frozenset()
    default_tolerance_s: ClassVar[int | None] = None

    def check_key(self, key: str) -> None:
        public_key(key)

    def normalise_message_id(self, raw: str) -> str:
        """Give the X-Message-Id, by which ``sg_message_id`` begins: all before the first full stop.

        A Message-ID header that SendGrid wrote begins with it too; a sender's own header is kept whole, or two of
        them could become one.
        """
        before, at, host = raw.partition("@") if "@" in raw else (raw, "", "")
        if at and "ismtpd" not in host.rpartition("@")[2]:
            return normalise_message_id(raw)
        return normalise_message_id(before.partition(".")[0])

    async def verify(
        self, headers: Mapping[str, str], body: bytes, keys: Sequence[str], *, now: datetime, tolerance_s: int | None
    ) -> None:
        verify_signature(headers, body, keys, now=now, tolerance_s=tolerance_s)

    def translate(self, headers: Mapping[str, str], body: bytes) -> list[Outcome]:
        del headers  # SendGrid says everything in the body
        usual = read_items_of(body, _decode_items)
        if usual is not None:
            return translate_items(usual, self._read_usual, self._message_id_of_usual, readable=UsualItem)
        return translate_items(read_items(body), self._read, self._message_id_as_far_as_known)

    def _read_usual(self, item: UsualItem) -> Outcome:
        """Read an item as `_read` does; the frequent kinds in a third of the time (3 instead of 9 µs)."""
        read = _USUAL_REPORTS.get(item.event)
        if read is None or not item.email.strip() or not item.sg_message_id.strip():
            return self._read(msgspec.to_builtins(item))
        return read(
            item,
            {
                "message_id": self.normalise_message_id(item.sg_message_id),
                "recipient": normalise_address(item.email),
                "occurred_at": read_instant(item.timestamp),
                "event_id": item.sg_event_id,
                "metadata": _metadata_of_usual(item),
            },
        )

    def _message_id_of_usual(self, item: UsualItem) -> str:
        return self._message_id_as_far_as_known(msgspec.to_builtins(item))

    def _read(self, item: dict[str, Any]) -> Outcome:
        event = item.get("event")
        if not isinstance(event, str):
            raise InvalidFieldError("event", problem_with(item, "event", "text"))
        report = _REPORTS.get(event)
        if report is None:
            return Ignored(_IGNORED.get(event, "unknown_event_type"))
        return report(
            item,
            {
                "message_id": self._message_id(item),
                "recipient": normalise_address(required_text(item, "email", LONGEST_URL)),
                "occurred_at": read_instant(item.get("timestamp")),
                "event_id": optional_event_id(item, "sg_event_id"),
                "metadata": None if _OWN_FIELDS.issuperset(item) and "category" not in item else _metadata(item),
            },
        )

    def _message_id(self, item: dict[str, Any]) -> str:
        # Opens and clicks never carry smtp-id; it is the only id in old test posts.
        field = "smtp-id" if item.get("sg_message_id") is None and "smtp-id" in item else "sg_message_id"
        return self.normalise_message_id(required_text(item, field, LONGEST_URL))

    def _message_id_as_far_as_known(self, item: dict[str, Any]) -> str:
        try:
            return self._message_id(item)
        except (InvalidFieldError, InvalidMessageIdError):
            return ""


def _delivered(item: dict[str, Any], facts: Facts) -> Outcome:
    return RecordDelivery(**facts, detail=optional_text(item, "response", DETAIL_CUT))


def _deferred(item: dict[str, Any], facts: Facts) -> Outcome:
    return RecordDeferral(
        **facts, detail=optional_text(item, "response", DETAIL_CUT) or optional_text(item, "reason", DETAIL_CUT)
    )


def _opened(item: dict[str, Any], facts: Facts) -> Outcome:
    return RecordOpen(
        **facts,
        ip_address=ip_address(item.get("ip")),
        user_agent=optional_text(item, "useragent", USER_AGENT_CUT),
        signals=agent_signals(item, "useragent"),
        provider_verdict=Verdict.MACHINE_OPEN if item.get("sg_machine_open") in (True, "true") else None,
    )


def _clicked(item: dict[str, Any], facts: Facts) -> Outcome:
    offset = item.get("url_offset")
    return RecordClick(
        **facts,
        url=required_text(item, "url", LONGEST_URL),
        link_position=link_position(offset.get("index")) if isinstance(offset, dict) else "",
        ip_address=ip_address(item.get("ip")),
        user_agent=optional_text(item, "useragent", USER_AGENT_CUT),
        signals=agent_signals(item, "useragent"),
    )


def _bounced(item: dict[str, Any], facts: Facts) -> Outcome:
    status, answer = optional_text(item, "status", DETAIL_CUT), optional_text(item, "reason", DETAIL_CUT)
    classification = optional_text(item, "bounce_classification", DETAIL_CUT).casefold()
    reason = bounce_reason(status, answer) or _BY_CLASSIFICATION.get(classification, "")
    said = BounceKind.BLOCK if item.get("type") == "blocked" else BounceKind.HARD
    return RecordBounce(
        **facts, detail=answer, reason=reason, bounce_kind=bounce_kind(reason, status, answer, otherwise=said)
    )


def _dropped(item: dict[str, Any], facts: Facts) -> Outcome:
    reason = optional_text(item, "reason", DETAIL_CUT)
    return RecordDrop(**facts, detail=reason, reason=_DROP_REASONS.get(reason.casefold(), ""))


def _reported_as_spam(item: dict[str, Any], facts: Facts) -> Outcome:
    del item
    return RecordSpamReport(**facts)


def _unsubscribed(item: dict[str, Any], facts: Facts) -> Outcome:
    del item
    return RecordUnsubscribe(**facts)


_REPORTS: dict[str, Callable[[dict[str, Any], Facts], Outcome]] = {
    "delivered": _delivered,
    "deferred": _deferred,
    "open": _opened,
    "click": _clicked,
    "bounce": _bounced,
    "dropped": _dropped,
    "spamreport": _reported_as_spam,
    "unsubscribe": _unsubscribed,
    "group_unsubscribe": _unsubscribed,
}


def _metadata_of_usual(item: UsualItem) -> Metadata | None:
    category = item.category
    if not category:
        return None
    if type(category) is list and len(category) == 1:  # as most senders do
        category = category[0]
    if type(category) is str:
        return {"category": category[:METADATA_CUT]}
    return small_metadata([("category", category)])


def _usually_delivered(item: UsualItem, facts: Facts) -> Outcome:
    return RecordDelivery(**facts, detail=item.response.strip()[:DETAIL_CUT] if item.response else "")


def _usually_opened(item: UsualItem, facts: Facts) -> Outcome:
    agent, signals = _agent_of_usual(item)
    return RecordOpen(
        **facts,
        ip_address=ip_address(item.ip),
        user_agent=agent,
        signals=signals,
        provider_verdict=Verdict.MACHINE_OPEN if item.sg_machine_open else None,
    )


def _usually_clicked(item: UsualItem, facts: Facts) -> Outcome:
    url = item.url.strip() if item.url else ""
    if not 0 < len(url) <= LONGEST_URL:
        return _clicked(msgspec.to_builtins(item), facts)
    agent, signals = _agent_of_usual(item)
    return RecordClick(
        **facts,
        url=url,
        link_position=link_position(item.url_offset.get("index")) if item.url_offset else "",
        ip_address=ip_address(item.ip),
        user_agent=agent,
        signals=signals,
    )


def _agent_of_usual(item: UsualItem) -> tuple[str, tuple[Signal, ...]]:
    if item.useragent is UNSET:
        return "", ()
    agent = item.useragent.strip()[:USER_AGENT_CUT]
    return agent, () if agent else (Signal.NO_AGENT,)


_USUAL_REPORTS: dict[str, Callable[[UsualItem, Facts], Outcome]] = {
    "delivered": _usually_delivered,
    "open": _usually_opened,
    "click": _usually_clicked,
}
_IGNORED = {"processed": "accepted", "group_resubscribe": "resubscribed"}


def _metadata(item: dict[str, Any]) -> Metadata | None:
    pairs = [(name, value) for name, value in item.items() if name not in _OWN_FIELDS]
    if item.get("category"):
        pairs.insert(0, ("category", item["category"]))
    return small_metadata(pairs)
