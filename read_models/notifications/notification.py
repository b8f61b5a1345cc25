"""A notification, as its reader gets it: in lists, in streams, and from one process to another."""

from datetime import datetime
from uuid import UUID

import msgspec

from domain.notification_kinds import NotificationKind


class Notification(msgspec.Struct, frozen=True, kw_only=True):
    """What one person is told.

    Attributes:
        email_id: ``None`` in digests.
        candidate_id: The host application's id of the recipient; ``None`` in digests.
        candidate_name: "" if nobody said.
        occurred_at: When the latest of what it tells of happened; aware UTC.
        title: One line: who did what.
        text: The email's subject; in digests, what waits.
        url: Path of the page to go on from, below the service's public URL.
        read_at: ``None``: unread.

    Source:
        AF-3; UI-3.
    """

    id: UUID
    kind: NotificationKind
    email_id: UUID | None
    candidate_id: str | None
    candidate_name: str
    subject: str
    occurred_at: datetime
    title: str
    text: str
    url: str
    read_at: datetime | None = None


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """A notification that rings: new, or changed enough to ring once more.

    Attributes:
        number: Grows with every commit, over all organisations; what ``Last-Event-ID`` sends back.
        user_id: Who is told.
    """

    number: int
    organization_id: UUID
    user_id: str
    notification: Notification
