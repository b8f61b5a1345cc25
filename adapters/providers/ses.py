"""Amazon SES over Amazon SNS, in both of its formats.

Event publishing (``eventType``): https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html;
feedback notifications (``notificationType``): https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
(both read 2026-11); see docs/providers.md.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar, TypedDict

import msgspec

from adapters.mail.incoming import Unreadable
from adapters.mail.kept_form import is_kept_body, kept_body, read_kept_body
from adapters.mail.ses_mail import read_ses_mail
from adapters.payloads.bounces import bounce_kind, bounce_reason
from adapters.payloads.fields import (
    DETAIL_CUT,
    LONGEST_EVENT_ID,
    LONGEST_URL,
    USER_AGENT_CUT,
    InvalidFieldError,
    Metadata,
    agent_signals,
    ip_address,
    optional_text,
    problem_with,
    required_object,
    required_text,
    small_metadata,
)
from adapters.payloads.instants import read_instant
from adapters.payloads.items import read_items, without_unstorable_characters
from adapters.sns.envelope import (
    SUBSCRIPTION_CONFIRMATION,
    UNSUBSCRIBE_CONFIRMATION,
    CertificateSource,
    Envelope,
    confirmation_url,
    read_envelope,
    verify_envelope,
)
from adapters.sns.topics import read_topic
from application.ports.provider import (
    ConfirmSubscription,
    Ignored,
    InvalidVerificationKeyError,
    MalformedDeliveryError,
    Outcome,
    Rejected,
)
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
from domain.errors import InvalidAddressError, InvalidMessageIdError
from domain.values import BounceKind, normalise_address, normalise_message_id

_MOST_BODY_BYTES = 10 * 1024 * 1024
_RECEIVED = b"Received"
_PLAIN_TEXT_NOTICE = "Successfully validated SNS topic"

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
_UNREADABLE = (InvalidFieldError, InvalidAddressError, InvalidMessageIdError)


class _Facts(TypedDict):
    message_id: str
    recipient: str
    occurred_at: datetime
    event_id: str
    metadata: Metadata | None


_Answer = Callable[[_Facts, Mapping[str, Any]], Outcome]


class _FanOut(msgspec.Struct, frozen=True, kw_only=True):
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


class AmazonSes:
    """SES's events, proven by the SNS signature and the topic.

    Args:
        certificates: Where the keys that SNS signs with come from.
    """

    name: ClassVar[str] = "ses"
    signed_headers: ClassVar[frozenset[str]] = frozenset()
    default_tolerance_s: ClassVar[int | None] = None

    def __init__(self, certificates: CertificateSource) -> None:
        self._certificates = certificates

    def check_key(self, key: str) -> None:
        if read_topic(key) is None:
            raise InvalidVerificationKeyError(
                "expected the ARN of an SNS topic, such as arn:aws:sns:eu-west-1:123456789012:ses-events"
            )

    def normalise_message_id(self, raw: str) -> str:
        """Give the id that SendEmail returned, also from the Message-ID header that SES makes of it."""
        message_id = normalise_message_id(raw)
        local, _, host = message_id.rpartition("@")
        return local if local and host.endswith("amazonses.com") else message_id

    async def verify(
        self, headers: Mapping[str, str], body: bytes, keys: Sequence[str], *, now: datetime, tolerance_s: int | None
    ) -> None:
        await verify_envelope(headers, body, keys, self._certificates, now=now, tolerance_s=tolerance_s)

    def translate(self, headers: Mapping[str, str], body: bytes) -> list[Outcome]:
        del headers  # SNS repeats in its headers what the body says
        if is_kept_body(body):
            return read_kept_body(body)
        envelope = _read_delivery(body)
        if envelope.type == SUBSCRIPTION_CONFIRMATION:
            return [_confirmation(envelope, body)]
        if envelope.type == UNSUBSCRIBE_CONFIRMATION:
            return [Ignored("unsubscribe_confirmation")]  # its SubscribeURL would subscribe again
        if envelope.message.startswith(_PLAIN_TEXT_NOTICE):
            return [Ignored("topic_validated")]
        try:
            return self._read(_read_message(envelope.message), envelope, body)
        except _UNREADABLE as error:
            return [Rejected(str(error), body)]

    def most_bytes(self, headers: Mapping[str, str]) -> int:
        del headers  # SNS posts at most 256 KB
        return _MOST_BODY_BYTES

    def without_words(self, headers: Mapping[str, str], body: bytes, received_at: datetime) -> bytes:
        del headers
        if _RECEIVED not in body:
            return body
        try:
            event = _read_message(_read_delivery(body).message)
        except (MalformedDeliveryError, InvalidFieldError) as error:
            return kept_body([Unreadable(str(error))])  # it may hold a mail, so not even this is kept
        if event.get("notificationType") != "Received":
            return body
        return kept_body(read_ses_mail(event, received_at=received_at))

    def _read(self, event: Mapping[str, Any], envelope: Envelope, body: bytes) -> list[Outcome]:
        kind = required_text(
            event, "notificationType" if event.get("notificationType") is not None else "eventType", LONGEST_URL
        )
        read = _REPORTS.get(kind)
        if read is None:
            return [Ignored(_IGNORED.get(kind, "unknown_event_type"))]
        mail = required_object(event, "mail")
        message_id = self.normalise_message_id(required_text(mail, "messageId", LONGEST_URL))
        try:
            fan_out = read(event, mail)
        except InvalidFieldError as error:
            return [Rejected(str(error), body, message_id)]
        outcomes: list[Outcome] = []
        for recipient in fan_out.recipients:
            about = recipient if isinstance(recipient, dict) else {"emailAddress": recipient}
            try:
                facts: _Facts = {
                    "message_id": message_id,
                    "recipient": normalise_address(required_text(about, "emailAddress", LONGEST_URL)),
                    "occurred_at": fan_out.occurred_at,
                    "event_id": envelope.message_id[:LONGEST_EVENT_ID] if fan_out.comes_once else "",
                    "metadata": _metadata(mail),
                }
            except (InvalidFieldError, InvalidAddressError) as error:
                outcomes.append(Rejected(f"{fan_out.field}: {error}", body, message_id))
            else:
                outcomes.append(fan_out.answer(facts, about))
        return outcomes or [Rejected(f"{fan_out.field}: empty", body, message_id)]


def _delivered(event: Mapping[str, Any], mail: Mapping[str, Any]) -> _FanOut:
    del mail
    delivery = required_object(event, "delivery")
    detail = optional_text(delivery, "smtpResponse", DETAIL_CUT)
    return _FanOut(
        field="delivery.recipients",
        recipients=_list(delivery, "recipients"),
        occurred_at=read_instant(delivery.get("timestamp"), "delivery.timestamp"),
        comes_once=False,
        answer=lambda facts, _: RecordDelivery(**facts, detail=detail),
    )


def _bounced(event: Mapping[str, Any], mail: Mapping[str, Any]) -> _FanOut:
    del mail
    bounce = required_object(event, "bounce")
    subtype = optional_text(bounce, "bounceSubType", DETAIL_CUT)
    said = _KINDS.get(optional_text(bounce, "bounceType", DETAIL_CUT), BounceKind.SOFT)

    def answer(facts: _Facts, about: Mapping[str, Any]) -> Outcome:
        words = optional_text(about, "diagnosticCode", DETAIL_CUT)
        if subtype in _NEVER_SENT:
            return RecordDrop(**facts, reason=_NEVER_SENT[subtype], detail=words)
        reason = _SUBTYPES.get(subtype) or bounce_reason(optional_text(about, "status", DETAIL_CUT), words)
        kind = bounce_kind(reason, "", "", otherwise=said)
        # SES has read the whole answer: no word in it makes final what SES calls transient.
        return RecordBounce(**facts, bounce_kind=said if kind is BounceKind.HARD else kind, reason=reason, detail=words)

    return _FanOut(
        field="bounce.bouncedRecipients",
        recipients=_list(bounce, "bouncedRecipients"),
        occurred_at=read_instant(bounce.get("timestamp"), "bounce.timestamp"),
        comes_once=False,
        answer=answer,
    )


def _complained(event: Mapping[str, Any], mail: Mapping[str, Any]) -> _FanOut:
    del mail
    complaint = required_object(event, "complaint")
    never_sent = optional_text(complaint, "complaintSubType", DETAIL_CUT) in _NEVER_SENT
    feedback = optional_text(complaint, "complaintFeedbackType", DETAIL_CUT)

    def answer(facts: _Facts, about: Mapping[str, Any]) -> Outcome:
        del about
        if never_sent:
            return RecordDrop(**facts, reason="previously_reported_spam")
        return Ignored("not_spam") if feedback == "not-spam" else RecordSpamReport(**facts, detail=feedback)

    return _FanOut(
        field="complaint.complainedRecipients",
        recipients=_list(complaint, "complainedRecipients"),
        occurred_at=read_instant(complaint.get("timestamp"), "complaint.timestamp"),
        comes_once=False,
        answer=answer,
    )


def _delayed(event: Mapping[str, Any], mail: Mapping[str, Any]) -> _FanOut:
    del mail
    delay = required_object(event, "deliveryDelay")
    kind = optional_text(delay, "delayType", DETAIL_CUT)
    return _FanOut(
        field="deliveryDelay.delayedRecipients",
        recipients=_list(delay, "delayedRecipients"),
        occurred_at=read_instant(delay.get("timestamp"), "deliveryDelay.timestamp"),
        comes_once=True,
        answer=lambda facts, about: RecordDeferral(
            **facts, detail=optional_text(about, "diagnosticCode", DETAIL_CUT) or kind
        ),
    )


def _opened(event: Mapping[str, Any], mail: Mapping[str, Any]) -> _FanOut:
    opened = required_object(event, "open")
    address = ip_address(opened.get("ipAddress"))
    agent, signals = optional_text(opened, "userAgent", USER_AGENT_CUT), agent_signals(opened, "userAgent")
    at = read_instant(opened.get("timestamp"), "open.timestamp")
    return _everyone(
        mail, at, lambda facts, _: RecordOpen(**facts, ip_address=address, user_agent=agent, signals=signals)
    )


def _clicked(event: Mapping[str, Any], mail: Mapping[str, Any]) -> _FanOut:
    click = required_object(event, "click")
    url = required_text(click, "link", LONGEST_URL)
    address = ip_address(click.get("ipAddress"))
    agent, signals = optional_text(click, "userAgent", USER_AGENT_CUT), agent_signals(click, "userAgent")
    at = read_instant(click.get("timestamp"), "click.timestamp")
    return _everyone(
        mail, at, lambda facts, _: RecordClick(**facts, url=url, ip_address=address, user_agent=agent, signals=signals)
    )


def _subscription_changed(event: Mapping[str, Any], mail: Mapping[str, Any]) -> _FanOut:
    change = required_object(event, "subscription")
    before, after = _opted_out(change.get("oldTopicPreferences")), _opted_out(change.get("newTopicPreferences"))
    contact_list = optional_text(change, "contactList", DETAIL_CUT)
    at = read_instant(change.get("timestamp"), "subscription.timestamp")

    def answer(facts: _Facts, about: Mapping[str, Any]) -> Outcome:
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


def _refused(event: Mapping[str, Any], mail: Mapping[str, Any]) -> _FanOut:
    detail = optional_text(required_object(event, "reject"), "reason", DETAIL_CUT)
    at = read_instant(mail.get("timestamp"), "mail.timestamp")  # the event has no time of its own
    return _everyone(mail, at, lambda facts, _: RecordDrop(**facts, reason="bad_content", detail=detail))


def _not_rendered(event: Mapping[str, Any], mail: Mapping[str, Any]) -> _FanOut:
    detail = optional_text(required_object(event, "failure"), "errorMessage", DETAIL_CUT)
    at = read_instant(mail.get("timestamp"), "mail.timestamp")  # the event has no time of its own
    return _everyone(mail, at, lambda facts, _: RecordDrop(**facts, reason="rendering_failed", detail=detail))


def _everyone(mail: Mapping[str, Any], at: datetime, answer: _Answer) -> _FanOut:
    """SES does not say which recipient it was, so it is said of each: send one email per recipient."""
    return _FanOut(
        field="mail.destination",
        recipients=_list(mail, "destination"),
        occurred_at=at,
        comes_once=True,
        answer=answer,
    )


_REPORTS: dict[str, Callable[[Mapping[str, Any], Mapping[str, Any]], _FanOut]] = {
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
_IGNORED = {"Send": "accepted", "Received": "inbound_mail", "AmazonSnsSubscriptionSucceeded": "topic_validated"}


def _read_delivery(body: bytes) -> Envelope:
    try:
        return read_envelope(without_unstorable_characters(body))
    except UnicodeDecodeError as error:
        raise MalformedDeliveryError("the body is not UTF-8") from error
    except msgspec.DecodeError as error:
        raise MalformedDeliveryError(f"the body is no SNS message: {error}") from error
    except RecursionError as error:
        raise MalformedDeliveryError("the body is nested too deeply") from error


def _read_message(message: str) -> Mapping[str, Any]:
    try:
        items = read_items(message.encode())
    except MalformedDeliveryError as error:
        raise InvalidFieldError("Message", str(error)) from error
    event = items.values[0] if not items.is_array else items.values
    if not isinstance(event, dict):
        raise InvalidFieldError("Message", problem_with({"Message": event}, "Message", "an SES event"))
    return event


def _confirmation(envelope: Envelope, body: bytes) -> Outcome:
    topic = read_topic(envelope.topic_arn)
    if topic is None:
        return Rejected("TopicArn: not the ARN of an SNS topic", body)
    if not envelope.token:
        return Rejected("Token: missing", body)
    return ConfirmSubscription(confirmation_url(topic, envelope.token))


def _list(item: Mapping[str, Any], field: str) -> Sequence[Any]:
    value = item.get(field)
    if not isinstance(value, list):
        raise InvalidFieldError(field, problem_with(item, field, "a list"))
    return value


def _metadata(mail: Mapping[str, Any]) -> Metadata | None:
    tags = mail.get("tags")  # only in event publishing; those named ses:… are SES's own
    if not isinstance(tags, dict):
        return None
    return small_metadata((name, value) for name, value in tags.items() if not name.startswith("ses:"))
