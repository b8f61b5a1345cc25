"""Signatures of Standard Webhooks, version 1.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md (read 2026-11)
"""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from hmac import digest
from typing import Final

PREFIX: Final = "whsec_"


def signed_headers(secrets: Sequence[str], message_id: str, body: bytes, now: datetime) -> dict[str, str]:
    """Give the headers that prove who sent a body.

    Args:
        secrets: ``whsec_`` and base64; each signs, so that receivers may know either while they change over.
        message_id: Without a full stop.
        body: As it is sent.
        now: Aware UTC.
    """
    timestamp = str(int(now.timestamp()))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_signature(secret, signed)}" for secret in secrets),
    }


def _signature(secret: str, signed: bytes) -> str:
    return b64encode(digest(b64decode(secret.removeprefix(PREFIX)), signed, sha256)).decode()
