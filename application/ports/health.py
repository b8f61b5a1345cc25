"""Whether the things that the service needs are there."""

from typing import Protocol


class Dependency(Protocol):
    """Something outside that can be away."""

    name: str

    async def check(self) -> None:
        """Return if it answers.

        Raises:
            PortError: It does not.
        """
        ...
