"""Tokens sealed by AES-SIV (RFC 5297), under a key for each purpose and secret."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from enum import StrEnum
from typing import Final
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from application.ports.tracking_tokens import LONGEST_TOKEN, BrokenTokenError, EmailReference, TrackedLink

_FORM: Final = re.compile(rf"[A-Za-z0-9_-]{{64,{LONGEST_TOKEN}}}")
_KEY_BYTES: Final = 64
_EMAIL_BYTES: Final = 32

_encode_link = msgspec.msgpack.Encoder().encode
_decode_link = msgspec.msgpack.Decoder(tuple[str, str, str, str]).decode


class Purpose(StrEnum):
    """What a token is good for."""

    OPEN = "open"
    CLICK = "click"
    UNSUBSCRIBE = "unsubscribe"


class SealedTokens:
    """See `application.ports.tracking_tokens.TrackingTokens`.

    The seal is also the signature: what was not sealed here for this purpose does not open. The same email and link
    give the same token, so that an email instrumented twice is the same twice.

    Args:
        secret_keys: Newest first; the first one seals, any of them opens.
    """

    def __init__(self, secret_keys: Sequence[str]) -> None:
        self._ciphers = {
            purpose: [AESSIV(_key(secret_key, purpose)) for secret_key in secret_keys] for purpose in Purpose
        }

    def for_open(self, email: EmailReference) -> str:
        return self._seal(Purpose.OPEN, _bytes_of(email))

    def for_click(self, email: EmailReference, link: TrackedLink) -> str:
        return self._seal(Purpose.CLICK, _bytes_of(email) + _encode_link(msgspec.structs.astuple(link)))

    def for_unsubscribe(self, email: EmailReference) -> str:
        return self._seal(Purpose.UNSUBSCRIBE, _bytes_of(email))

    def read_open(self, token: str) -> EmailReference:
        return _email_of(self._open(Purpose.OPEN, token))

    def read_click(self, token: str) -> tuple[EmailReference, TrackedLink]:
        plain = self._open(Purpose.CLICK, token)
        url, position, text, counted_as = _decode_link(plain[_EMAIL_BYTES:])
        return _email_of(plain), TrackedLink(url=url, position=position, text=text, counted_as=counted_as)

    def read_unsubscribe(self, token: str) -> EmailReference:
        return _email_of(self._open(Purpose.UNSUBSCRIBE, token))

    def _seal(self, purpose: Purpose, plain: bytes) -> str:
        return urlsafe_b64encode(self._ciphers[purpose][0].encrypt(plain, None)).rstrip(b"=").decode()

    def _open(self, purpose: Purpose, token: str) -> bytes:
        sealed = _bytes_written_as(token)
        for cipher in self._ciphers[purpose]:
            try:
                return cipher.decrypt(sealed, None)
            except InvalidTag:  # in constant time, by OpenSSL
                continue
        raise BrokenTokenError("this is no token of ours for this purpose")


def _bytes_written_as(token: str) -> bytes:
    """Give the bytes behind the one spelling that they have: base64 leaves unused bits that a forger could vary."""
    if _FORM.fullmatch(token) and len(token) % 4 != 1:
        sealed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        if urlsafe_b64encode(sealed).rstrip(b"=") == token.encode():
            return sealed
    raise BrokenTokenError("this has not the form of a token")


def _bytes_of(email: EmailReference) -> bytes:
    return email.organization_id.bytes + email.email_id.bytes


def _email_of(plain: bytes) -> EmailReference:
    return EmailReference(UUID(bytes=plain[:16]), UUID(bytes=plain[16:_EMAIL_BYTES]))


def _key(secret_key: str, purpose: Purpose) -> bytes:
    info = f"mailpulse/token/{purpose}".encode()
    return HKDF(algorithm=SHA256(), length=_KEY_BYTES, salt=None, info=info).derive(secret_key.encode())
