"""How each provider proves that a post is its own."""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from hmac import digest
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from entrypoints.demo.keys import CERTIFICATE_URL, ProviderKeys

_SIGNED_BY_SNS: Final = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")


class Signatures:
    """Signs for every simulated provider.

    Args:
        keys: Their private keys.
    """

    def __init__(self, keys: ProviderKeys) -> None:
        self._sendgrid = keys.sendgrid_key()
        self._sns = keys.sns_key()
        self._secret = b64decode(keys.email.removeprefix("whsec_"))

    def headers(self, provider: str, body: bytes, *, post_id: str, now: datetime) -> dict[str, str]:
        """Give the headers of a post; SNS proves itself in the body.

        Args:
            provider: ``sendgrid``, ``ses`` or ``email``.
            body: Exactly as it will be sent.
            post_id: The same when the same post is sent again.
            now: Aware UTC.
        """
        seconds = str(int(now.timestamp()))
        if provider == "sendgrid":
            proof = self._sendgrid.sign(seconds.encode() + body, ec.ECDSA(SHA256()))
            return {
                "Content-Type": "application/json;charset=utf-8",
                "User-Agent": "SendGrid Event API",
                "X-Twilio-Email-Event-Webhook-Signature": b64encode(proof).decode(),
                "X-Twilio-Email-Event-Webhook-Timestamp": seconds,
            }
        if provider == "ses":
            return {
                "Content-Type": "text/plain; charset=UTF-8",
                "User-Agent": "Amazon Simple Notification Service Agent",
                "x-amz-sns-message-type": "Notification",
                "x-amz-sns-message-id": post_id,
            }
        proof = digest(self._secret, f"{post_id}.{seconds}.".encode() + body, sha256)
        return {
            "Content-Type": "application/json",
            "webhook-id": post_id,
            "webhook-timestamp": seconds,
            "webhook-signature": f"v1,{b64encode(proof).decode()}",
        }

    def sns_envelope(self, fields: Mapping[str, str], version: str) -> bytes:
        """Wrap a message as SNS does.

        Args:
            fields: Type, MessageId, TopicArn, Message, Timestamp.
            version: "1" signs with SHA-1, which is what SNS does unless told otherwise; "2" with SHA-256.
        """
        signed = "".join(f"{name}\n{fields[name]}\n" for name in _SIGNED_BY_SNS if name in fields)
        hash_type = SHA1() if version == "1" else SHA256()  # noqa: S303  SNS's choice
        proof = self._sns.sign(signed.encode(), PKCS1v15(), hash_type)
        return json.dumps(
            {
                **fields,
                "SignatureVersion": version,
                "Signature": b64encode(proof).decode(),
                "SigningCertURL": CERTIFICATE_URL,
                "UnsubscribeURL": CERTIFICATE_URL.rpartition("/")[0] + "/?Action=Unsubscribe",
            }
        ).encode()
