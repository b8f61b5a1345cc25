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
"""Of endpoints, and as many of ids that are none."""


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
        # Apart, so that whoever guesses ids drives out guesses and no endpoint. Those read longest ago come first.
        self._known: dict[UUID, _Entry] = {}
        self._unknown: dict[UUID, _Entry] = {}

    async def find(self, endpoint_id: UUID) -> Endpoint | None:
        now = self._now()
        entry = self._entry_of(endpoint_id)
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
            if self._entry_of(endpoint_id) is entry:  # neither driven out meanwhile nor read anew
                self._remember(endpoint_id, entry)
        except EndpointsUnavailableError:
            entry.renew_at = self._now() + FRESH_S
        finally:
            entry.renewal = None

    def _entry_of(self, endpoint_id: UUID) -> _Entry | None:
        return self._known.get(endpoint_id) or self._unknown.get(endpoint_id)

    def _remember(self, endpoint_id: UUID, entry: _Entry) -> None:
        self._known.pop(endpoint_id, None)
        self._unknown.pop(endpoint_id, None)
        entries = self._unknown if entry.endpoint is None else self._known
        if len(entries) >= _MOST_ENTRIES:
            del entries[next(iter(entries))]
        entries[endpoint_id] = entry
