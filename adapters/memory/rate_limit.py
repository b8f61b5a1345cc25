"""A rate limit that counts in memory, for tests."""

from collections import Counter
from uuid import UUID


class MemoryRateLimit:
    """Counts in one window, which `begin_window` ends."""

    def __init__(self) -> None:
        self._admitted: Counter[UUID] = Counter()

    async def admit(self, endpoint_id: UUID, requests_per_minute: int) -> float:
        if self._admitted[endpoint_id] >= requests_per_minute:
            return 60.0
        self._admitted[endpoint_id] += 1
        return 0.0

    def begin_window(self) -> None:
        """Let a minute pass."""
        self._admitted.clear()
