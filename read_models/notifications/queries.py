"""What people ask about their notifications."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from uuid import UUID

import msgspec

from read_models.audience import Audience
from read_models.notifications.notification import Announcement, Notification
from read_models.paging import Page, PageRequest


class NotificationList(Page[Notification], frozen=True, kw_only=True):
    """Part of the list, and how much of the whole was not read yet."""

    unread_count: int


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """What a bell shows."""

    unread_count: int


class Bell(msgspec.Struct, frozen=True, kw_only=True):
    """What every page shows of a person's notifications, and where their stream goes on from.

    Attributes:
        last_number: Of the latest announcement to them.
    """

    unread: int
    last_number: int


class NotificationQueries(Protocol):
    """Answers one person; of an audience that sees some jobs only, what is about other emails is left out (ROLE)."""

    async def list(self, audience: Audience, user_id: str, *, unread_only: bool, page: PageRequest) -> NotificationList:
        """Give the person's notifications, the latest first."""
        ...

    async def unread_count(self, audience: Audience, user_id: str) -> int:
        """Count the person's unread notifications."""
        ...

    async def bell(self, audience: Audience, user_id: str) -> Bell:
        """Count the person's unread notifications, and give the number of the latest announcement, at one moment."""
        ...

    async def announced_after(
        self, audience: Audience, user_id: str, number: int, *, most: int
    ) -> Sequence[Announcement]:
        """Give the person's announcements after a number, in the order of their numbers.

        A notification that was announced again has only its latest number.
        """
        ...

    async def last_numbers(self, organization_id: UUID, user_ids: Collection[str]) -> Mapping[str, int]:
        """Give the numbers of these people's latest announcements, whatever they are about; 0 if there is none."""
        ...

    async def last_number(self, audience: Audience, user_id: str) -> int:
        """Give the number of the person's latest announcement; 0 if there is none."""
        ...
