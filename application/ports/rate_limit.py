"""How often each endpoint may be called, counted over all processes."""

from typing import Protocol
from uuid import UUID


class RateLimit(Protocol):
    """Counts requests per endpoint in windows of one minute."""

    async def admit(self, endpoint_id: UUID, requests_per_minute: int) -> float:
        """Count one request.

        Never raises: without its shared memory each process counts alone.

        Returns:
            0.0 if the request is within the limit, else the seconds until the next window.
        """
        ...
