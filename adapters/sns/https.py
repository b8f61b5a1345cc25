"""One GET over HTTPS that follows nothing and reads no more than it was told."""

from http.client import HTTPException, HTTPSConnection
from ssl import SSLContext, create_default_context
from urllib.parse import urlsplit

import msgspec

TIMEOUT_S = 5.0
LONGEST_ANSWER = 64 * 1024


class HttpsAnswer(msgspec.Struct, frozen=True):
    """What the host said; a redirect is an answer like any other."""

    status: int
    body: bytes


class HttpsUnavailableError(OSError):
    """The host could not be reached, broke off, or answered with more than was allowed."""


def get(url: str, *, timeout_s: float = TIMEOUT_S, tls: SSLContext | None = None) -> HttpsAnswer:
    """Fetch a small document.

    Args:
        url: Absolute; its scheme is taken to be https.
        timeout_s: Longest wait for each answer of the network.
        tls: Whom to trust; the system's authorities unless given.

    Raises:
        HttpsUnavailableError: No complete answer of at most 64 KiB.
    """
    parts = urlsplit(url)
    connection = HTTPSConnection(
        parts.hostname or "", parts.port, timeout=timeout_s, context=tls or create_default_context()
    )
    try:
        connection.request("GET", f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/")
        response = connection.getresponse()
        body = response.read(LONGEST_ANSWER + 1)
    except (OSError, HTTPException) as error:
        raise HttpsUnavailableError(f"no answer from {parts.hostname}: {type(error).__name__}") from error
    finally:
        connection.close()
    if len(body) > LONGEST_ANSWER:
        raise HttpsUnavailableError(f"the answer of {parts.hostname} is longer than {LONGEST_ANSWER} bytes")
    return HttpsAnswer(response.status, body)
