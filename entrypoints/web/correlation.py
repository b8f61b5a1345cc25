"""The id that follows a request into logs, inbox, events and jobs."""

import re
from collections.abc import Iterable
from secrets import token_hex
from typing import Final

_SANE: Final = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_TRACEPARENT: Final = re.compile(rb"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-[\x20-\x7e]*)?")


def correlation_id(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """Give the caller's own X-Request-ID if it is sane, else the trace it belongs to (W3C traceparent), else a new id.

    Args:
        headers: Names as ASGI gives them, in lower case.

    Returns:
        1 to 128 letters, digits and ``._:-``: safe in headers, logs and tables.
    """
    trace = None
    for name, value in headers:
        if name == b"x-request-id" and _SANE.fullmatch(value):
            return value.decode("ascii")
        if name == b"traceparent":
            trace = _TRACEPARENT.fullmatch(value)
    return token_hex(16) if trace is None else trace[1].decode("ascii")
