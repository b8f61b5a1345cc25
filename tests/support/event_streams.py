"""Readers of event streams over plain sockets, that can stall, leave, and come back."""

import asyncio
import contextlib
import json
from typing import NamedTuple

_open: list[asyncio.StreamWriter] = []


async def close_all():
    """Close every stream that was opened in this event loop."""
    while _open:
        outgoing = _open.pop()
        outgoing.transport.abort()
        with contextlib.suppress(OSError):
            await outgoing.wait_closed()


class Event(NamedTuple):
    """What a stream told."""

    id: str
    kind: str
    data: dict


class StreamRefusedError(Exception):
    """The answer was no stream."""

    def __init__(self, status, body):
        super().__init__(f"{status}: {body[:300]!r}")
        self.status = status
        self.body = body


class EventStreamReader:
    """One connection; use `open_stream`."""

    def __init__(self, incoming, outgoing, headers):
        self._incoming = incoming
        self._outgoing = outgoing
        self._text = b""
        self.headers = headers
        self.comments = 0

    async def next(self):
        """Give the next event; ``None`` when the stream has ended, however it did."""
        while True:
            block, found, rest = self._text.partition(b"\n\n")
            if not found:
                chunk = await self._chunk()
                if not chunk:
                    return None
                self._text += chunk
                continue
            self._text = rest
            event = self._event(block.decode())
            if event:
                return event

    async def take(self, count):
        """Give the next events, fewer if the stream ends."""
        events = []
        while len(events) < count and (event := await self.next()):
            events.append(event)
        return events

    def cut(self):
        """Break the connection off."""
        self._outgoing.transport.abort()

    async def _chunk(self):
        try:
            size = int((await self._incoming.readline()).strip() or b"0", 16)
            if not size:
                return b""
            chunk = await self._incoming.readexactly(size)
            await self._incoming.readexactly(2)
        except (OSError, asyncio.IncompleteReadError):
            return b""
        return chunk

    def _event(self, block):
        fields = dict(line.partition(": ")[::2] for line in block.splitlines())
        if "data" not in fields:
            self.comments += "" in fields
            return None
        return Event(fields["id"], fields["event"], json.loads(fields["data"]))


async def open_stream(port, token="", last_event_id=None, *, query="", headers=None, buffer=2**16):
    """Open a stream.

    Raises:
        StreamRefusedError: It was answered with something else.
    """
    incoming, outgoing = await asyncio.open_connection("127.0.0.1", port, limit=buffer)
    _open.append(outgoing)
    lines = [f"GET /api/v1/notifications/stream{query} HTTP/1.1", "Host: pulse.example.com"]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Last-Event-ID: {last_event_id}"] if last_event_id is not None else []
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    outgoing.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    head = (await incoming.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    answered = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])}
    status = int(head[0].split()[1])
    if status != 200:
        body = await incoming.readexactly(int(answered.get("content-length", 0)))
        outgoing.transport.abort()
        raise StreamRefusedError(status, body)
    return EventStreamReader(incoming, outgoing, answered)
