"""What SNS wraps around every message, and the proof that SNS wrapped it."""

import re
from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol
from urllib.parse import urlencode

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, HashAlgorithm

from adapters.payloads.fields import InvalidFieldError
from adapters.payloads.instants import read_instant
from adapters.sns.topics import Topic, read_topic
from application.ports.provider import SignatureRefusedError

NOTIFICATION = "Notification"
SUBSCRIPTION_CONFIRMATION = "SubscriptionConfirmation"
UNSUBSCRIBE_CONFIRMATION = "UnsubscribeConfirmation"

# https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html: in this order, absent ones left out.
_SIGNED_IN_NOTIFICATIONS = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SIGNED_IN_CONFIRMATIONS = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    NOTIFICATION: _SIGNED_IN_NOTIFICATIONS,
    SUBSCRIPTION_CONFIRMATION: _SIGNED_IN_CONFIRMATIONS,
    UNSUBSCRIBE_CONFIRMATION: _SIGNED_IN_CONFIRMATIONS,
}
_HASHES: dict[str, type[HashAlgorithm]] = {"1": SHA1, "2": SHA256}  # version 1 is still the default of a topic
_CERTIFICATE_PATH = re.compile(r"/SimpleNotificationService(-[A-Za-z0-9]+)?\.pem")


class Envelope(msgspec.Struct, frozen=True, rename="pascal"):
    """An SNS delivery, unproven until `verify_envelope` has returned."""

    type: str
    message: str
    message_id: str
    topic_arn: str
    timestamp: str
    signature_version: str | None = None
    signature: str | None = None
    signing_cert_url: str | None = msgspec.field(default=None, name="SigningCertURL")
    subscribe_url: str | None = msgspec.field(default=None, name="SubscribeURL")
    subject: str | None = None
    token: str | None = None

    def signed_bytes(self) -> bytes:
        """Rebuild what SNS signed: each name and value on a line of its own, the last one ended too."""
        values = {
            "Message": self.message,
            "MessageId": self.message_id,
            "Subject": self.subject,
            "SubscribeURL": self.subscribe_url,
            "Timestamp": self.timestamp,
            "Token": self.token,
            "TopicArn": self.topic_arn,
            "Type": self.type,
        }
        names = (name for name in _SIGNED[self.type] if values[name] is not None)
        return "".join(f"{name}\n{values[name]}\n" for name in names).encode()


class CertificateSource(Protocol):
    """Knows the public keys that SNS signs with."""

    async def public_key_for(self, url: str, *, now: datetime) -> RSAPublicKey:
        """Give the key of the certificate at an address that is already known to be the SNS host's.

        Raises:
            SignatureRefusedError: There is no valid certificate there (``untrusted_certificate``).
            VerificationUnavailableError: It cannot be fetched now.
        """
        ...


def read_envelope(body: bytes) -> Envelope:
    """Decode an SNS delivery.

    Raises:
        msgspec.DecodeError: Not JSON, or a field is missing or of another type.
        UnicodeDecodeError: Not UTF-8.
        RecursionError: Nested too deeply.
    """
    return msgspec.json.decode(body, type=Envelope)


async def verify_envelope(
    headers: Mapping[str, str],
    body: bytes,
    topics: Sequence[str],
    certificates: CertificateSource,
    *,
    now: datetime,
    tolerance_s: int | None,
) -> None:
    """Prove that one of our topics sent this.

    A valid signature alone proves only that *some* topic did: anyone's own topic signs validly. So the topic is
    compared before anything is fetched, and the certificate must come from the host of the topic's region.

    Args:
        headers: Lower-case names.
        body: Exactly as received.
        topics: ARNs of the endpoint.
        certificates: Asked only for addresses on the topic's own SNS host.
        now: Aware UTC.
        tolerance_s: How far the signed time may differ from `now`; ``None``: not checked.

    Raises:
        SignatureRefusedError: Not proven.
        VerificationUnavailableError: The certificate cannot be had now.

    Source:
        SEC-1 Webhook signature validation.
    """
    if headers.get("x-amz-sns-rawdelivery", "").strip().lower() == "true":
        raise SignatureRefusedError("raw_delivery")
    try:
        envelope = read_envelope(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SignatureRefusedError("malformed") from error
    announced = headers.get("x-amz-sns-message-type", envelope.type)
    if envelope.type not in _SIGNED or announced != envelope.type:
        raise SignatureRefusedError("malformed")
    topic = read_topic(envelope.topic_arn)
    if topic is None or envelope.topic_arn not in topics:
        raise SignatureRefusedError("foreign_topic")
    proof, url, hash_type = _proof_of(envelope)
    if not is_certificate_of(topic, url):
        raise SignatureRefusedError("untrusted_certificate")
    public_key = await certificates.public_key_for(url, now=now)
    try:
        public_key.verify(proof, envelope.signed_bytes(), PKCS1v15(), hash_type())
    except InvalidSignature as error:
        raise SignatureRefusedError("mismatch") from error
    if tolerance_s is not None:
        _refuse_unless_recent(envelope, now, tolerance_s)


def is_certificate_of(topic: Topic, url: str) -> bool:
    """Whether an address is the SNS host's of the topic's region, by https, with nothing smuggled in."""
    origin = f"https://{topic.host}"
    return url.startswith(origin) and _CERTIFICATE_PATH.fullmatch(url, len(origin)) is not None


def confirmation_url(topic: Topic, token: str) -> str:
    """Build the API call that confirms a subscription, from verified parts.

    ``AuthenticateOnUnsubscribe`` is left out: with it the call needs a signature of an AWS account, which Mailpulse
    does not have.
    """
    query = urlencode({"Action": "ConfirmSubscription", "TopicArn": topic.arn, "Token": token})
    return f"https://{topic.host}/?{query}"


def _proof_of(envelope: Envelope) -> tuple[bytes, str, type[HashAlgorithm]]:
    if not envelope.signature or not envelope.signing_cert_url or not envelope.signature_version:
        raise SignatureRefusedError("missing")
    hash_type = _HASHES.get(envelope.signature_version)
    if hash_type is None:
        raise SignatureRefusedError("malformed")
    try:
        return b64decode(envelope.signature, validate=True), envelope.signing_cert_url, hash_type
    except ValueError as error:
        raise SignatureRefusedError("malformed") from error


def _refuse_unless_recent(envelope: Envelope, now: datetime, tolerance_s: int) -> None:
    try:
        signed_at = read_instant(envelope.timestamp)
    except InvalidFieldError as error:
        raise SignatureRefusedError("malformed") from error
    if abs((now - signed_at).total_seconds()) > tolerance_s:
        raise SignatureRefusedError("expired")
