"""Sign deliveries as each provider would, with keys made here."""

from base64 import b64decode, b64encode
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from hmac import digest
from typing import Protocol

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from adapters.sns.envelope import Envelope

NOW = datetime(2026, 11, 21, 9, 5, tzinfo=UTC)
TOPIC = "arn:aws:sns:eu-west-1:123456789012:ses-events"
OTHER_TOPIC = "arn:aws:sns:eu-west-1:999999999999:ses-events"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-0a1b2c.pem"


class Signer(Protocol):
    """Plays a provider's sending side.

    Attributes:
        key: What the provider shows for our side to verify with.
        other_key: The same of a stranger.
        signature_header: Where the signature travels; "" if in the body.
    """

    key: str
    other_key: str
    signature_header: str

    def sign(self, body: bytes, *, now: datetime = NOW) -> tuple[dict[str, str], bytes]: ...
    def with_signature(self, headers: dict[str, str], body: bytes, signature: str) -> tuple[dict[str, str], bytes]: ...
    def signature_of(self, headers: dict[str, str], body: bytes) -> str: ...


class _SignsInAHeader:
    signature_header: str

    def with_signature(self, headers, body, signature):
        return headers | {self.signature_header: signature}, body

    def signature_of(self, headers, body):
        return headers[self.signature_header]


class SendGridSigner(_SignsInAHeader):
    signature_header = "x-twilio-email-event-webhook-signature"

    def __init__(self):
        self._private_key = ec.generate_private_key(ec.SECP256R1())
        self.key = spki(self._private_key)
        self.other_key = spki(ec.generate_private_key(ec.SECP256R1()))

    def sign(self, body, *, now=NOW):
        timestamp = str(int(now.timestamp()))
        proof = self._private_key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
        headers = {
            "x-twilio-email-event-webhook-timestamp": timestamp,
            self.signature_header: b64encode(proof).decode(),
        }
        return headers, body


class StandardWebhooksSigner(_SignsInAHeader):
    signature_header = "webhook-signature"
    key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    other_key = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"

    def sign(self, body, *, now=NOW):
        head = f"msg_1.{int(now.timestamp())}."
        proof = digest(b64decode(self.key.removeprefix("whsec_")), head.encode() + body, sha256)
        return {
            "webhook-id": "msg_1",
            "webhook-timestamp": str(int(now.timestamp())),
            self.signature_header: f"v1,{b64encode(proof).decode()}",
        }, body


class SnsSigner:
    """Signs with a self-made certificate; bodies are SNS envelopes, or anything else, which then stays unsigned."""

    signature_header = ""
    key = TOPIC
    other_key = OTHER_TOPIC

    def __init__(self, version="1"):
        self._version = version

    def sign(self, body, *, now=NOW):
        try:
            fields = msgspec.json.decode(body)
            proof = signed_by_sns(fields, self._version)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, AttributeError):
            return {}, body
        return {"x-amz-sns-message-type": fields["Type"]}, msgspec.json.encode(proof)

    def with_signature(self, headers, body, signature):
        return headers, msgspec.json.encode(msgspec.json.decode(body) | {"Signature": signature})

    def signature_of(self, headers, body):
        return msgspec.json.decode(body)["Signature"]


def signed_by_sns(fields, version="1", private_key=None):
    signed = fields | {"SignatureVersion": version, "SigningCertURL": CERTIFICATE_URL}
    text = msgspec.convert(signed, Envelope).signed_bytes()
    hash_type = SHA256() if version == "2" else SHA1()  # noqa: S303 - version 1 is what SNS signs by default
    proof = (private_key or sns_key()).sign(text, PKCS1v15(), hash_type)
    return signed | {"Signature": b64encode(proof).decode()}


def notification(message, **fields):
    return {
        "Type": "Notification",
        "MessageId": "7c1a4f0e-8a6f-5e0c-9d5e-1f2e3d4c5b6a",
        "TopicArn": TOPIC,
        "Message": message if isinstance(message, str) else msgspec.json.encode(message).decode(),
        "Timestamp": "2026-11-21T09:05:00.000Z",
    } | fields


class OneCertificate:
    """A certificate source that knows the one key of these tests, and remembers what it was asked for."""

    def __init__(self):
        self.asked = []

    async def public_key_for(self, url, *, now):
        self.asked.append(url)
        return sns_key().public_key()


@cache
def sns_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(private_key=None, *, valid_from=NOW - timedelta(days=30), valid_until=NOW + timedelta(days=30)):
    private_key = private_key or sns_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private_key.public_key())
        .serial_number(1)
        .not_valid_before(valid_from)
        .not_valid_after(valid_until)
        .sign(private_key, SHA256())
        .public_bytes(Encoding.PEM)
    )


def spki(private_key):
    return b64encode(private_key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


SIGNERS: dict[str, Signer] = {
    "sendgrid": SendGridSigner(),
    "sendgrid-inbound": SendGridSigner(),
    "ses": SnsSigner(),
    "email": StandardWebhooksSigner(),
}
