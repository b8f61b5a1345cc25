"""Endpoints remembered for a moment, so that a request costs no query and a blip of the database costs no request."""

import asyncio
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

from application.ports.endpoints import Endpoint, EndpointDirectory, EndpointsUnavailableError

FRESH_S: Final = 1.0
"""Younger is believed."""
RENEWING_S: Final = 2.0
"""Younger is believed while it is read again in the background."""
STALE_S: Final = 60.0
"""Younger is believed if it cannot be read again."""
_PATIENCE_S: Final = 0.3
"""How long a request waits for a renewal before it takes what is known."""
_MOST_ENTRIES: Final = 10_000


class _Entry:
    __slots__ = ("endpoint", "read_at", "renew_at", "renewal")

    def __init__(self, endpoint: Endpoint | None, read_at: float) -> None:
        self.endpoint = endpoint
        self.read_at = read_at
        self.renew_at = read_at + FRESH_S
        self.renewal: asyncio.Task[None] | None = None


class CachedEndpoints:
    """Remembers what a slower directory says, also that an endpoint does not exist.

    Args:
        directory: Asked when memory is too old.
        now: Gives seconds on a clock that never goes back.
    """

    def __init__(self, directory: EndpointDirectory, *, now: Callable[[], float] = time.monotonic) -> None:
        self._directory = directory
        self._now = now
        self._entries: dict[UUID, _Entry] = {}

    async def find(self, endpoint_id: UUID) -> Endpoint | None:
        now = self._now()
        entry = self._entries.get(endpoint_id)
        if entry is None or now - entry.read_at > STALE_S:
            endpoint = await self._directory.find(endpoint_id)
            self._remember(endpoint_id, _Entry(endpoint, now))
            return endpoint
        if now >= entry.renew_at:
            await self._renew(endpoint_id, entry, now)
        return entry.endpoint

    async def _renew(self, endpoint_id: UUID, entry: _Entry, now: float) -> None:
        if entry.renewal is None:
            entry.renewal = asyncio.create_task(self._read_again(endpoint_id, entry))
        if now - entry.read_at >= RENEWING_S:
            _, unfinished = await asyncio.wait([entry.renewal], timeout=_PATIENCE_S)
            if unfinished:  # a silent database: the next requests need not find out again
                entry.renew_at = self._now() + FRESH_S

    async def _read_again(self, endpoint_id: UUID, entry: _Entry) -> None:
        asked_at = self._now()
        try:
            entry.endpoint = await self._directory.find(endpoint_id)
            entry.read_at = asked_at
            entry.renew_at = asked_at + FRESH_S
        except EndpointsUnavailableError:
            entry.renew_at = self._now() + FRESH_S
        finally:
            entry.renewal = None

    def _remember(self, endpoint_id: UUID, entry: _Entry) -> None:
        self._entries.pop(endpoint_id, None)
        if len(self._entries) >= _MOST_ENTRIES:  # somebody is guessing addresses
            del self._entries[next(iter(self._entries))]
        self._entries[endpoint_id] = entry
