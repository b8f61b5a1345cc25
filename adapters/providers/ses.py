"""Amazon SES over Amazon SNS: what proves a delivery, and whose outcomes it holds; see docs/providers.md."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, ClassVar

import msgspec

from adapters.mail.incoming import Unreadable
from adapters.mail.kept_form import is_kept_body, kept_body, read_kept_body
from adapters.mail.ses_mail import read_ses_mail
from adapters.payloads.facts import Facts
from adapters.payloads.fields import (
    LONGEST_EVENT_ID,
    LONGEST_URL,
    InvalidFieldError,
    Metadata,
    problem_with,
    required_object,
    required_text,
    small_metadata,
)
from adapters.payloads.items import read_items, without_unstorable_characters
from adapters.ses.events import REPORTS
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
from domain.errors import InvalidAddressError, InvalidMessageIdError
from domain.values import normalise_address, normalise_message_id

_MOST_BODY_BYTES = 10 * 1024 * 1024
_RECEIVED = b"Received"
_PLAIN_TEXT_NOTICE = "Successfully validated SNS topic"
_IGNORED = {"Send": "accepted", "Received": "inbound_mail", "AmazonSnsSubscriptionSucceeded": "topic_validated"}
_UNREADABLE = (InvalidFieldError, InvalidAddressError, InvalidMessageIdError)


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
        read = REPORTS.get(kind)
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
                facts: Facts = {
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


def _metadata(mail: Mapping[str, Any]) -> Metadata | None:
    tags = mail.get("tags")  # only in event publishing; those named ses:… are SES's own
    if not isinstance(tags, dict):
        return None
    return small_metadata((name, value) for name, value in tags.items() if not name.startswith("ses:"))
