"""Encryption of what the database keeps but must not tell: verification keys of webhook endpoints."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.errors import PortError


class SealBrokenError(PortError):
    """A sealed text that none of the configured secret keys opens."""

    code = "seal_broken"


class SecretBox:
    """Seals with the newest secret key and opens with any of them.

    Args:
        secret_keys: Newest first; texts of any length, which are stretched to the cipher's form.
        purpose: Sealed texts of one purpose do not open for another.

    Raises:
        ValueError: No key.
    """

    def __init__(self, secret_keys: Sequence[str], *, purpose: str) -> None:
        if not secret_keys:
            raise ValueError("at least one secret key is needed")
        self._fernet = MultiFernet([Fernet(_fernet_key(key, purpose)) for key in secret_keys])

    def seal(self, plain: bytes) -> bytes:
        """Encrypt and sign."""
        return self._fernet.encrypt(plain)

    def open(self, sealed: bytes) -> bytes:
        """Check and decrypt.

        Raises:
            SealBrokenError: Changed, or sealed with a key that is no longer configured.
        """
        try:
            return self._fernet.decrypt(sealed)
        except InvalidToken as error:
            raise SealBrokenError("none of MAILPULSE_SECRET_KEYS opens what the database holds") from error


def _fernet_key(secret_key: str, purpose: str) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=f"mailpulse/{purpose}".encode())
    return urlsafe_b64encode(derivation.derive(secret_key.encode()))
