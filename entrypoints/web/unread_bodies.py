"""What the application leaves of a request's body is read before an error is answered.

A client that is still sending when the answer comes often sees a broken connection instead of the answer.
"""

import asyncio
from typing import Final

from litestar.types import HTTPReceiveMessage, HTTPScope, Receive

MOST_DISCARDED_BYTES: Final = 64 * 1024 * 1024
DISCARD_S: Final = 5.0


class WatchedReceive:
    """Receives for the application, and remembers whether it received everything.

    Args:
        scope: Of the request.
        receive: Of the request.
    """

    __slots__ = ("_expects", "_is_complete", "_receive")

    def __init__(self, scope: HTTPScope, receive: Receive) -> None:
        self._receive = receive
        # Who asked whether to send is waiting for the answer.
        self._expects = any(name == b"expect" for name, _ in scope["headers"])
        self._is_complete = False

    async def __call__(self) -> HTTPReceiveMessage:
        """Receive the next message."""
        message = await self._receive()
        self._is_complete = message["type"] != "http.request" or not message.get("more_body", False)
        return message  # type: ignore[return-value]  # a request receives no websocket messages

    async def discard(self) -> None:
        """Read what is left and forget it, as far as that is reasonable."""
        if self._expects:
            return
        left = MOST_DISCARDED_BYTES
        try:
            async with asyncio.timeout(DISCARD_S):
                while not self._is_complete and left > 0:
                    message = await self()
                    left -= len(message["body"]) if message["type"] == "http.request" else 0
        except TimeoutError:
            return
