"""A bell that says: there is work in the inbox. It may be lost; the sweeper looks anyway."""

from typing import Protocol


class Bell(Protocol):
    """Wakes a worker. Never raises, never blocks for long: a lost ring only delays work."""

    def ring(self) -> None:
        """Say that something waits in the inbox."""
        ...
