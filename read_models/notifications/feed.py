"""How a committed notification reaches the processes that hold the readers' streams."""

from collections.abc import Sequence
from typing import Protocol

from read_models.notifications.notification import Announcement


class NotificationFeed(Protocol):
    """Rings for what is committed, at most once: who missed a ring reads `NotificationQueries.announced_after`."""

    def publish(self, announcements: Sequence[Announcement]) -> None:
        """Ring, in the order of the numbers; never fails: a ring that is lost is missed by nobody who looks."""
        ...
