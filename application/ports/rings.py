"""How a process that holds streams hears that something was announced to somebody."""

from typing import Protocol

from application.ports.presence import Person


class Heard(Protocol):
    """Is told what a listener hears; returns at once."""

    def ring(self, person: Person) -> None:
        """Something was announced to a person."""
        ...

    def listening(self) -> None:
        """From now on every ring is heard; before, some may have been missed."""
        ...

    def deaf(self) -> None:
        """From now on rings may be missed."""
        ...


class RingListener(Protocol):
    """Hears what `read_models.notifications.feed.NotificationFeed` rings, in whatever process."""

    async def listen(self, heard: Heard) -> None:
        """Listen until cancelled; whatever is away is waited for."""
        ...
