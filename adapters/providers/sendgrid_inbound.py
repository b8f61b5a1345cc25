"""Twilio SendGrid's Inbound Parse: mails that people send back, whole ("raw") or in pieces.

Proof: https://www.twilio.com/docs/sendgrid/for-developers/parsing-email/securing-your-parse-webhooks (read 2026-11): a
security policy makes SendGrid sign as it signs events; without one, a name and a password in the URL are all there is.
"""

from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime
from hmac import compare_digest
from typing import ClassVar, Final

from adapters.mail.form import read_form
from adapters.mail.kept_form import kept_body, read_kept_body
from adapters.sendgrid_signature import SIGNATURE_HEADER, TIMESTAMP_HEADER, public_key, verify_signature
from application.ports.provider import InvalidVerificationKeyError, Outcome, SignatureRefusedError
from domain.values import normalise_message_id

MOST_BODY_BYTES: Final = 40 * 1024 * 1024
"""SendGrid takes mails of 30 MB; attachments of 25 MB are 34 MB on the wire."""
_BASIC: Final = "basic:"
_SHORTEST_PASSWORD: Final = 16
_EXPECTED_KEY: Final = (
    "expected the public key of an Inbound Parse security policy (base64), or basic:NAME:PASSWORD with a password of at"
    " least 16 characters, which are then put into the URL: https://NAME:PASSWORD@your.host/webhooks/…"
)


class SendGridInbound:
    """Mails by Inbound Parse, proven by SendGrid's signature or by the password that the URL holds."""

    name: ClassVar[str] = "sendgrid-inbound"
    signed_headers: ClassVar[frozenset[str]] = frozenset()
    default_tolerance_s: ClassVar[int | None] = None

    def check_key(self, key: str) -> None:
        if key.startswith(_BASIC):
            name, colon, password = key.removeprefix(_BASIC).partition(":")
            if not (name and colon and len(password) >= _SHORTEST_PASSWORD):
                raise InvalidVerificationKeyError(_EXPECTED_KEY)
            return
        try:
            public_key(key)
        except InvalidVerificationKeyError as error:
            raise InvalidVerificationKeyError(_EXPECTED_KEY) from error

    def normalise_message_id(self, raw: str) -> str:
        return normalise_message_id(raw)

    async def verify(
        self, headers: Mapping[str, str], body: bytes, keys: Sequence[str], *, now: datetime, tolerance_s: int | None
    ) -> None:
        passwords = [key.removeprefix(_BASIC) for key in keys if key.startswith(_BASIC)]
        signers = [key for key in keys if not key.startswith(_BASIC)]
        given = headers.get("authorization", "")
        expected = [b"Basic " + b64encode(password.encode()) for password in passwords]
        if any([compare_digest(one, given.encode("latin-1", "replace")) for one in expected]):  # noqa: C419 - all of them
            return
        if passwords and given and SIGNATURE_HEADER not in headers and TIMESTAMP_HEADER not in headers:
            raise SignatureRefusedError("mismatch")
        verify_signature(headers, body, signers, now=now, tolerance_s=tolerance_s)

    def translate(self, headers: Mapping[str, str], body: bytes) -> list[Outcome]:
        del headers  # what matters of them is in the kept form
        return read_kept_body(body)

    def most_bytes(self, headers: Mapping[str, str]) -> int:
        del headers
        return MOST_BODY_BYTES

    def without_words(self, headers: Mapping[str, str], body: bytes, received_at: datetime) -> bytes:
        return kept_body(read_form(headers.get("content-type", ""), body, received_at=received_at))
