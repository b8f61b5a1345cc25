"""A host application that listens for outgoing webhooks and notes when each arrived."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class HostApplication:
    """Takes everything at once.

    Args:
        expected: Of how many emails it is to be told.

    Attributes:
        is_complete: Set when it was told of all.
        arrived: When each email's subject was read from a socket, on the clock of `time.perf_counter`.
    """

    def __init__(self, expected: int):
        self.is_complete = asyncio.Event()
        self.arrived: dict[str, float] = {}
        self._expected = expected

    async def take_all(self, incoming: asyncio.StreamReader, outgoing: asyncio.StreamWriter) -> None:
        """Read one connection's requests to its end."""
        try:
            while True:
                head = await incoming.readuntil(b"\r\n\r\n")
                lines = head.lower().split(b"\r\n")
                length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
                body = await incoming.readexactly(length)
                self.arrived.setdefault(json.loads(body)["data"]["subject"], time.perf_counter())
                if len(self.arrived) == self._expected:
                    self.is_complete.set()
                outgoing.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            outgoing.close()


@asynccontextmanager
async def listening(application: HostApplication) -> AsyncIterator[str]:
    """Have it listen on a free port of this machine; gives its address."""
    server = await asyncio.start_server(application.take_all, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
