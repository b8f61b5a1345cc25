"""Encryption of what the database keeps but must not tell: verification keys, people's keys, bodies of deliveries."""

from collections.abc import Sequence
from os import urandom
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.errors import PortError

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
NAME_BYTES: Final = 4
"""With which everything begins that a secret key sealed: the key's name."""


class SealBrokenError(PortError):
    """A sealed text that none of the configured secret keys opens."""

    code = "seal_broken"


class SecretBox:
    """Seals with the newest secret key and opens with any of them.

    What is sealed begins with a name of the secret key, so that it can be told what is still under an older one.

    Args:
        secret_keys: Newest first; texts of any length, from which the cipher's keys are derived.
        purpose: Sealed texts of one purpose do not open for another.

    Raises:
        ValueError: No key, or two that the names cannot tell apart.
    """

    def __init__(self, secret_keys: Sequence[str], *, purpose: str) -> None:
        if not secret_keys:
            raise ValueError("at least one secret key is needed")
        derived = [_derived(key, f"{purpose}/named", NAME_BYTES + KEY_BYTES) for key in secret_keys]
        self._ciphers = {key[:NAME_BYTES]: AESGCM(key[NAME_BYTES:]) for key in derived}
        if len(self._ciphers) < len(secret_keys):
            raise ValueError("two secret keys cannot be told apart: replace the newest by another")
        self._newest = derived[0][:NAME_BYTES]

    @property
    def newest(self) -> bytes:
        """Name of the newest secret key, with which everything begins that it sealed."""
        return self._newest

    def knows(self, name: bytes) -> bool:
        """Whether a configured secret key has this name."""
        return name in self._ciphers

    def seal(self, plain: bytes, *, bound_to: bytes = b"") -> bytes:
        """Encrypt and sign.

        Args:
            plain: Any bytes.
            bound_to: Of what it is the secret; it opens for nothing else.
        """
        nonce = urandom(NONCE_BYTES)
        return self._newest + nonce + self._ciphers[self._newest].encrypt(nonce, plain, bound_to)

    def open(self, sealed: bytes, *, bound_to: bytes = b"") -> bytes:
        """Check and decrypt.

        Raises:
            SealBrokenError: Changed, of something else, or sealed with a key that is no longer configured.
        """
        cipher = self._ciphers.get(sealed[:NAME_BYTES])
        if cipher is None:
            raise SealBrokenError(
                "none of MAILPULSE_SECRET_KEYS opens what the database holds: add the key it was sealed with behind"
                " the newest one again, then run `mailpulse secrets rewrap` before you take it away"
            )
        nonce_ends = NAME_BYTES + NONCE_BYTES
        try:
            return cipher.decrypt(sealed[NAME_BYTES:nonce_ends], sealed[nonce_ends:], bound_to)
        except (InvalidTag, ValueError) as error:
            raise SealBrokenError(
                "what the database holds was changed since it was sealed: restore it from a backup"
            ) from error


def digests_key(secret_key: str, purpose: str) -> bytes:
    """Give a key for digests that nobody without the secret key can make."""
    return _derived(secret_key, purpose, KEY_BYTES)


def _derived(secret_key: str, purpose: str, length: int) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=length, salt=None, info=f"mailpulse/{purpose}".encode())
    return derivation.derive(secret_key.encode())
