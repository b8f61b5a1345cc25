"""What people say about their notifications."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.notification_preferences import NotificationPreferences


class NotificationRecords(Protocol):
    """Keeps it. Each call is a transaction of its own.

    Raises:
        StoreUnavailableError: Any call: nothing was changed; ask again.
    """

    async def mark_read(self, organization_id: UUID, user_id: str, notification_id: UUID, at: datetime) -> bool:
        """Note that somebody read a notification of theirs; what was read stays read since then.

        Returns:
            Whether they have such a notification.
        """
        ...

    async def mark_all_read(self, organization_id: UUID, user_id: str, at: datetime) -> None:
        """Note that somebody read all that they are shown."""
        ...

    async def preferences(self, organization_id: UUID, user_id: str) -> NotificationPreferences | None:
        """Give what somebody decided; ``None``: nothing."""
        ...

    async def change_preferences(
        self,
        organization_id: UUID,
        user_id: str,
        change: Callable[[NotificationPreferences], NotificationPreferences],
        at: datetime,
    ) -> NotificationPreferences:
        """Replace what somebody decided, or the default preferences, while nobody else does; gives what now holds."""
        ...
