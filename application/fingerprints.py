"""Names under which secrets are spoken of."""

from hashlib import sha256


def fingerprint_of(secret: str) -> str:
    """Name a key or a secret without showing it: the first 16 hexadecimal digits of the SHA-256 of its whole text."""
    return sha256(secret.encode()).hexdigest()[:16]
