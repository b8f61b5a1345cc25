"""What each kind of SES event says, and of whom, in both of its formats.

Event publishing (``eventType``): https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html;
feedback notifications (``notificationType``): https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
(both read 2026-11).
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec

from adapters.payloads.bounces import bounce_kind, bounce_reason
from adapters.payloads.facts import Facts
from adapters.payloads.fields import (
    DETAIL_CUT,
    LONGEST_URL,
    USER_AGENT_CUT,
    InvalidFieldError,
    agent_signals,
    ip_address,
    optional_text,
    problem_with,
    required_object,
    required_text,
)
from adapters.payloads.instants import read_instant
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
from domain.values import BounceKind

_SUBTYPES = {
    "NoEmail": "mailbox_does_not_exist",
    "MailboxFull": "mailbox_full",
    "MessageTooLarge": "message_too_large",
    "ContentRejected": "spam_content",
    "AttachmentRejected": "attachment_rejected",
    "CustomTimeoutExceeded": "timed_out",
}
_NEVER_SENT = {
    "Suppressed": "previously_bounced",
    "OnAccountSuppressionList": "suppressed",
    "UnsubscribedRecipient": "previously_unsubscribed",
}
_KINDS = {"Permanent": BounceKind.HARD, "Transient": BounceKind.SOFT, "Undetermined": BounceKind.SOFT}


_Answer = Callable[[Facts, Mapping[str, Any]], Outcome]


class FanOut(msgspec.Struct, frozen=True, kw_only=True):
    """What an SES event says about each of its recipients.

    Attributes:
        field: Name of the list of recipients, for errors.
        recipients: As they came: addresses, or objects with ``emailAddress``.
        occurred_at: When it happened, which is not when SNS published it.
        comes_once: Whether only event publishing reports it. What both formats report must be recognised by its time,
            because each gives it another id.
        answer: Gives the outcome for one recipient and its object.
    """

    field: str
    recipients: Sequence[Any]
    occurred_at: datetime
    comes_once: bool
    answer: _Answer


def _delivered(event: Mapping[str, Any], mail: Mapping[str, Any]) -> FanOut:
    del mail
    delivery = required_object(event, "delivery")
    detail = optional_text(delivery, "smtpResponse", DETAIL_CUT)
    return FanOut(
        field="delivery.recipients",
        recipients=_list(delivery, "recipients"),
        occurred_at=read_instant(delivery.get("timestamp"), "delivery.timestamp"),
        comes_once=False,
        answer=lambda facts, _: RecordDelivery(**facts, detail=detail),
    )


def _bounced(event: Mapping[str, Any], mail: Mapping[str, Any]) -> FanOut:
    del mail
    bounce = required_object(event, "bounce")
    subtype = optional_text(bounce, "bounceSubType", DETAIL_CUT)
    said = _KINDS.get(optional_text(bounce, "bounceType", DETAIL_CUT), BounceKind.SOFT)

    def answer(facts: Facts, about: Mapping[str, Any]) -> Outcome:
        words = optional_text(about, "diagnosticCode", DETAIL_CUT)
        if subtype in _NEVER_SENT:
            return RecordDrop(**facts, reason=_NEVER_SENT[subtype], detail=words)
        reason = _SUBTYPES.get(subtype) or bounce_reason(optional_text(about, "status", DETAIL_CUT), words)
        kind = bounce_kind(reason, "", "", otherwise=said)
        # SES has read the whole answer: no word in it makes final what SES calls transient.
        return RecordBounce(**facts, bounce_kind=said if kind is BounceKind.HARD else kind, reason=reason, detail=words)

    return FanOut(
        field="bounce.bouncedRecipients",
        recipients=_list(bounce, "bouncedRecipients"),
        occurred_at=read_instant(bounce.get("timestamp"), "bounce.timestamp"),
        comes_once=False,
        answer=answer,
    )


def _complained(event: Mapping[str, Any], mail: Mapping[str, Any]) -> FanOut:
    del mail
    complaint = required_object(event, "complaint")
    never_sent = optional_text(complaint, "complaintSubType", DETAIL_CUT) in _NEVER_SENT
    feedback = optional_text(complaint, "complaintFeedbackType", DETAIL_CUT)

    def answer(facts: Facts, about: Mapping[str, Any]) -> Outcome:
        del about
        if never_sent:
            return RecordDrop(**facts, reason="previously_reported_spam")
        return Ignored("not_spam") if feedback == "not-spam" else RecordSpamReport(**facts, detail=feedback)

    return FanOut(
        field="complaint.complainedRecipients",
        recipients=_list(complaint, "complainedRecipients"),
        occurred_at=read_instant(complaint.get("timestamp"), "complaint.timestamp"),
        comes_once=False,
        answer=answer,
    )


def _delayed(event: Mapping[str, Any], mail: Mapping[str, Any]) -> FanOut:
    del mail
    delay = required_object(event, "deliveryDelay")
    kind = optional_text(delay, "delayType", DETAIL_CUT)
    return FanOut(
        field="deliveryDelay.delayedRecipients",
        recipients=_list(delay, "delayedRecipients"),
        occurred_at=read_instant(delay.get("timestamp"), "deliveryDelay.timestamp"),
        comes_once=True,
        answer=lambda facts, about: RecordDeferral(
            **facts, detail=optional_text(about, "diagnosticCode", DETAIL_CUT) or kind
        ),
    )


def _opened(event: Mapping[str, Any], mail: Mapping[str, Any]) -> FanOut:
    opened = required_object(event, "open")
    address = ip_address(opened.get("ipAddress"))
    agent, signals = optional_text(opened, "userAgent", USER_AGENT_CUT), agent_signals(opened, "userAgent")
    at = read_instant(opened.get("timestamp"), "open.timestamp")
    return _everyone(
        mail, at, lambda facts, _: RecordOpen(**facts, ip_address=address, user_agent=agent, signals=signals)
    )


def _clicked(event: Mapping[str, Any], mail: Mapping[str, Any]) -> FanOut:
    click = required_object(event, "click")
    url = required_text(click, "link", LONGEST_URL)
    address = ip_address(click.get("ipAddress"))
    agent, signals = optional_text(click, "userAgent", USER_AGENT_CUT), agent_signals(click, "userAgent")
    at = read_instant(click.get("timestamp"), "click.timestamp")
    return _everyone(
        mail, at, lambda facts, _: RecordClick(**facts, url=url, ip_address=address, user_agent=agent, signals=signals)
    )


def _subscription_changed(event: Mapping[str, Any], mail: Mapping[str, Any]) -> FanOut:
    change = required_object(event, "subscription")
    before, after = _opted_out(change.get("oldTopicPreferences")), _opted_out(change.get("newTopicPreferences"))
    contact_list = optional_text(change, "contactList", DETAIL_CUT)
    at = read_instant(change.get("timestamp"), "subscription.timestamp")

    def answer(facts: Facts, about: Mapping[str, Any]) -> Outcome:
        del about
        if after - before:
            return RecordUnsubscribe(**facts, detail=contact_list)
        return Ignored("resubscribed" if before - after else "subscription_unchanged")

    return _everyone(mail, at, answer)


def _opted_out(preferences: object) -> set[str]:
    if not isinstance(preferences, dict):
        return set()
    topics = preferences.get("topicSubscriptions")
    names = {
        optional_text(topic, "topicName", DETAIL_CUT)
        for topic in (topics if isinstance(topics, list) else [])
        if isinstance(topic, dict) and topic.get("subscriptionStatus") == "OptOut"
    }
    return names | {"*"} if preferences.get("unsubscribeAll") is True else names


def _refused(event: Mapping[str, Any], mail: Mapping[str, Any]) -> FanOut:
    detail = optional_text(required_object(event, "reject"), "reason", DETAIL_CUT)
    at = read_instant(mail.get("timestamp"), "mail.timestamp")  # the event has no time of its own
    return _everyone(mail, at, lambda facts, _: RecordDrop(**facts, reason="bad_content", detail=detail))


def _not_rendered(event: Mapping[str, Any], mail: Mapping[str, Any]) -> FanOut:
    detail = optional_text(required_object(event, "failure"), "errorMessage", DETAIL_CUT)
    at = read_instant(mail.get("timestamp"), "mail.timestamp")  # the event has no time of its own
    return _everyone(mail, at, lambda facts, _: RecordDrop(**facts, reason="rendering_failed", detail=detail))


def _everyone(mail: Mapping[str, Any], at: datetime, answer: _Answer) -> FanOut:
    """SES does not say which recipient it was, so it is said of each: send one email per recipient."""
    return FanOut(
        field="mail.destination",
        recipients=_list(mail, "destination"),
        occurred_at=at,
        comes_once=True,
        answer=answer,
    )


def _list(item: Mapping[str, Any], field: str) -> Sequence[Any]:
    value = item.get(field)
    if not isinstance(value, list):
        raise InvalidFieldError(field, problem_with(item, field, "a list"))
    return value


REPORTS: Final[Mapping[str, Callable[[Mapping[str, Any], Mapping[str, Any]], FanOut]]] = {
    "Delivery": _delivered,
    "Bounce": _bounced,
    "Complaint": _complained,
    "DeliveryDelay": _delayed,
    "Open": _opened,
    "Click": _clicked,
    "Subscription": _subscription_changed,
    "Reject": _refused,
    "Rendering Failure": _not_rendered,
}
"""By SES's name of the event: what reads it and its ``mail``, or raises InvalidFieldError."""
