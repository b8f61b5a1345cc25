"""An answer that stays open: server-sent events of one reader."""

import asyncio
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final

import msgspec
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from domain.errors import PortError
from entrypoints.web.live.reader import Reader
from entrypoints.web.live.streams import OpenStreams
from read_models.notifications.notification import Announcement

HEARTBEAT_S: Final = 15.0
STALLED_S: Final = 30.0
"""How long a reader may take nothing before the stream is cut; they catch up when they come back."""
RETRY_MS: Final = 2_000
PAUSE_S: Final = 1.0
EVENT_STREAM: Final = "text/event-stream"
HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}
"""The second one asks nginx to pass on what comes when it comes."""


class EventStream(ASGIResponse):
    """Tells a reader what comes until they leave, stall, or may read no more.

    Args:
        streams: Of this process.
        opened: Opens the stream; entered when the answer begins, so that what is never answered is never open.
    """

    _should_set_content_length = False

    def __init__(self, streams: OpenStreams, opened: AbstractAsyncContextManager[Reader]) -> None:
        super().__init__(media_type=EVENT_STREAM, headers=HEADERS)
        self._streams = streams
        self._opened = opened
        self._reader: Reader

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, for as long as it takes."""
        async with self._opened as self._reader:
            await super().__call__(scope, receive, send)

    async def send_body(self, send: Send, receive: Receive) -> None:
        """Send events until there is a reason to stop; a stalled reader is left alone then."""
        telling = asyncio.create_task(self._tell(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((telling, leaving), return_when=asyncio.FIRST_COMPLETED)
            if telling.done():
                telling.result()
        finally:
            telling.cancel()
            leaving.cancel()

    async def _tell(self, send: Send) -> None:
        try:
            await _send(send, b"retry: %d\n\n" % RETRY_MS)
            while not self._reader.is_ended:
                for announcement in await self._next():
                    if not self._reader.is_ended:
                        await _send(send, event_of(announcement))
                if not await self._is_something_new():
                    await _send(send, b": still here\n\n")
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return

    async def _next(self) -> Sequence[Announcement]:
        try:
            await self._streams.make_sure()
            return await self._reader.next()
        except PortError:  # the database is away: the stream stays, and tells later
            await asyncio.sleep(PAUSE_S)
            self._reader.changed.set()
            return ()

    async def _is_something_new(self) -> bool:
        try:
            async with asyncio.timeout(HEARTBEAT_S):
                await self._reader.changed.wait()
        except TimeoutError:
            return False
        return True


def event_of(announcement: Announcement) -> bytes:
    """Write an announcement as a server-sent event."""
    data = msgspec.json.encode(announcement.notification)
    return b"id: %d\nevent: notification\ndata: %s\n\n" % (announcement.number, data)


async def _send(send: Send, body: bytes) -> None:
    async with asyncio.timeout(STALLED_S):
        await send({"type": "http.response.body", "body": body, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
