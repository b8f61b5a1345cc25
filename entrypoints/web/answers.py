"""An answer that costs next to nothing, for the route that answers thousands of times a second."""

from collections.abc import Sequence

from litestar.types import Receive, Scope, Send


class Answer:
    """A whole response; an ASGI application that any Litestar handler may return.

    Args:
        status: HTTP status.
        headers: Lower-case names and values, beside the length.
        body: Complete.
    """

    __slots__ = ("_body", "_headers", "_status")

    def __init__(self, status: int, headers: Sequence[tuple[bytes, bytes]] = (), body: bytes = b"") -> None:
        self._status = status
        self._headers = [(b"content-length", b"%d" % len(body)), *headers]
        self._body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        del scope, receive
        await send({"type": "http.response.start", "status": self._status, "headers": self._headers})
        await send({"type": "http.response.body", "body": self._body, "more_body": False})
