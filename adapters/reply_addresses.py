"""Reply addresses: a signed token in the local part, which mail systems may turn into lower case or cut at the plus."""

import re
from base64 import b32decode, b32encode
from collections.abc import Sequence
from hashlib import sha256
from hmac import compare_digest, digest
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION: Final = b"\x01"
_PROOF_BYTES: Final = 12
_ID_BYTES: Final = 16
# 1 + 16 + 12 bytes; with "reply+" 53 of the 64 characters that a local part may have (RFC 5321, 4.5.3.1.1).
TOKEN: Final = re.compile(r"[a-z2-7]{47}")
_PADDING: Final = "="


class SignedReplyAddresses:
    """See `application.ports.inbound_mail.ReplyAddresses`; the newest key signs, any of them proves.

    Args:
        secret_keys: Newest first; texts of any length.

    Raises:
        ValueError: No key.
    """

    def __init__(self, secret_keys: Sequence[str]) -> None:
        if not secret_keys:
            raise ValueError("at least one secret key is needed")
        self._keys = [_derived(key) for key in secret_keys]

    def address_for(self, organization_id: UUID, email_id: UUID, domain: str) -> str:
        named = _VERSION + email_id.bytes
        return f"reply+{_spelled(named + _proof(self._keys[0], organization_id, named))}@{domain}"

    def email_id_of(self, organization_id: UUID, token: str) -> UUID | None:
        if TOKEN.fullmatch(token) is None:
            return None
        told = b32decode(token.upper() + _PADDING)
        if _spelled(told) != token:  # the last character has three bits more than there are: one spelling is ours
            return None
        named, proof = told[: 1 + _ID_BYTES], told[1 + _ID_BYTES :]
        proven = [compare_digest(_proof(key, organization_id, named), proof) for key in self._keys]
        return UUID(bytes=named[1:]) if named.startswith(_VERSION) and any(proven) else None


def _spelled(token: bytes) -> str:
    return b32encode(token).decode().rstrip(_PADDING).lower()


def _proof(key: bytes, organization_id: UUID, named: bytes) -> bytes:
    return digest(key, organization_id.bytes + named, sha256)[:_PROOF_BYTES]


def _derived(secret_key: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"mailpulse/reply-address").derive(secret_key.encode())
