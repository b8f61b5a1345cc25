"""How SendGrid signs what it posts, events and incoming mails alike: ECDSA P-256 over timestamp and raw body."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from adapters.payloads.fields import InvalidFieldError
from adapters.payloads.instants import read_instant
from application.ports.provider import InvalidVerificationKeyError, SignatureRefusedError

SIGNATURE_HEADER = "x-twilio-email-event-webhook-signature"
TIMESTAMP_HEADER = "x-twilio-email-event-webhook-timestamp"


def verify_signature(
    headers: Mapping[str, str], body: bytes, keys: Sequence[str], *, now: datetime, tolerance_s: int | None
) -> None:
    """Prove that SendGrid sent this.

    Args:
        headers: Lower-case names.
        body: Exactly as received.
        keys: Base64 public keys; any may match.
        now: Aware UTC.
        tolerance_s: How far the signed time may differ from `now`; ``None``: not checked.

    Raises:
        SignatureRefusedError: Not proven.
    """
    signature, timestamp = headers.get(SIGNATURE_HEADER, ""), headers.get(TIMESTAMP_HEADER, "")
    if not signature or not timestamp:
        raise SignatureRefusedError("missing")
    try:
        proof = b64decode(signature, validate=True)
        signed = timestamp.encode("latin-1") + body
    except ValueError as error:
        raise SignatureRefusedError("malformed") from error
    if not any(_has_signed(public_key(key), proof, signed) for key in keys):
        raise SignatureRefusedError("mismatch")
    if tolerance_s is not None:
        _refuse_unless_recent(timestamp, now, tolerance_s)


@lru_cache(maxsize=1024)
def public_key(key: str) -> ec.EllipticCurvePublicKey:
    """Read a key in the form that SendGrid shows it.

    Raises:
        InvalidVerificationKeyError: It is none.
    """
    try:
        found = load_der_public_key(b64decode(key, validate=True))
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidVerificationKeyError(_EXPECTED_KEY) from error
    if not isinstance(found, ec.EllipticCurvePublicKey) or not isinstance(found.curve, ec.SECP256R1):
        raise InvalidVerificationKeyError(_EXPECTED_KEY)
    return found


_EXPECTED_KEY = (
    "expected SendGrid's verification key: the base64 text that Settings > Mail Settings > Event Webhooks shows"
)


def _has_signed(key: ec.EllipticCurvePublicKey, proof: bytes, signed: bytes) -> bool:
    try:
        key.verify(proof, signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


def _refuse_unless_recent(timestamp: str, now: datetime, tolerance_s: int) -> None:
    try:
        signed_at = read_instant(timestamp)
    except InvalidFieldError as error:
        raise SignatureRefusedError("malformed") from error
    if abs((now - signed_at).total_seconds()) > tolerance_s:
        raise SignatureRefusedError("expired")
