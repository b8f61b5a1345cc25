"""What the notifications read model keeps, and the port through which it keeps it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.notification_kinds import NotificationKind
from domain.notification_preferences import NotificationPreferences, Occasion
from domain.tracking_terms import TrackingTerms
from read_models.notifications.notification import Announcement, Notification

UserKey = tuple[UUID, str]
"""``organization_id, user_id``."""
JobKey = tuple[UUID, str]
"""``organization_id, job_id``."""
CandidateKey = tuple[UUID, str]
"""``organization_id, candidate_id``."""
AddresseeKey = tuple[UUID, UUID]
"""``organization_id, addressee_id``."""


class Told(msgspec.Struct, kw_only=True):
    """What one person is told about one email and one kind of event, since they last read it.

    Attributes:
        causes: When each of the events that it speaks of happened, by their ids.
        title: Follows from the causes and the email.
        held_until: Not shown before; ``None``: shown.
        announcement: Number of its latest announcement; ``None``: it only waits in the list.
        job_id: Of the email, for whoever may see some jobs only.
        addressee_id: Of the email: who is erased takes this along.
        email_log_id: Place of the email's registration.
    """

    id: UUID
    organization_id: UUID
    user_id: str
    occasion: Occasion
    email_id: UUID
    candidate_id: str
    candidate_name: str
    subject: str
    url: str
    created_at: datetime
    job_id: str | None
    addressee_id: UUID
    email_log_id: int
    causes: dict[UUID, datetime] = {}
    title: str = ""
    read_at: datetime | None = None
    held_until: datetime | None = None
    announcement: int | None = None

    @property
    def occurred_at(self) -> datetime:
        """When the latest of it happened."""
        return max(self.causes.values())

    def announced(self, number: int) -> Announcement:
        """Give what rings."""
        self.announcement = number
        return Announcement(
            number=number,
            organization_id=self.organization_id,
            user_id=self.user_id,
            notification=Notification(
                id=self.id,
                kind=NotificationKind(self.occasion.value),
                email_id=self.email_id,
                candidate_id=self.candidate_id,
                candidate_name=self.candidate_name,
                subject=self.subject,
                occurred_at=self.occurred_at,
                title=self.title,
                text=self.subject,
                url=self.url,
                read_at=self.read_at,
            ),
        )


class DueDigest(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody whose summary is due.

    Attributes:
        due_at: Since when.
        counts: Unread notifications since the summary before, by kind; what rang is among them.
    """

    organization_id: UUID
    user_id: str
    preferences: NotificationPreferences
    due_at: datetime
    counts: Mapping[str, int]


class NotificationsView(Protocol):
    """Keeps what people are told, inside the transaction that also moves the read model's position."""

    def terms(self, addressees: Collection[AddresseeKey]) -> Mapping[AddresseeKey, TrackingTerms]:
        """Give what organisations and recipients allow now."""
        ...

    def managers(self, jobs: Collection[JobKey]) -> Mapping[JobKey, str]:
        """Give who is named as hiring manager now; jobs that are not known yet are left out."""
        ...

    def hot(self, candidates: Collection[CandidateKey]) -> Collection[CandidateKey]:
        """Give those of the candidates who are hot."""
        ...

    def preferences(self, users: Collection[UserKey]) -> Mapping[UserKey, NotificationPreferences]:
        """Give what people decided; who never did is left out."""
        ...

    def told_about(self, email_ids: Collection[UUID]) -> Sequence[Told]:
        """Give all that anybody was told about some emails; nobody can read it meanwhile."""
        ...

    def numbers(self, how_many: int) -> Sequence[int]:
        """Give the next announcements' numbers."""
        ...

    def save(self, told: Sequence[Told]) -> None:
        """Keep what is new or changed."""
        ...

    def forget(self, ids: Collection[UUID]) -> None:
        """Delete what is not true any more."""
        ...

    def forget_people(self, addressee_ids: Collection[UUID]) -> None:
        """Delete what was told about people who are erased."""
        ...

    def forget_purged(self, places: Collection[int]) -> None:
        """Delete what was told about emails that were purged by the facts at some places."""
        ...

    def forget_before(self, instant: datetime, *, most: int) -> int:
        """Delete what was told before an instant.

        Returns:
            How much; less than `most`: that was all.
        """
        ...

    def held(self, now: datetime, *, most: int) -> Sequence[Told]:
        """Give what need not be held back any more; nobody can read it meanwhile."""
        ...

    def due_digests(self, now: datetime, *, most: int) -> Sequence[DueDigest]:
        """Give whose summaries are due."""
        ...

    def save_digest(self, due: DueDigest, digest: Announcement, *, next_at: datetime | None) -> None:
        """Keep a summary in place of the unread one before."""
        ...

    def put_off_digest(self, due: DueDigest, *, next_at: datetime | None) -> None:
        """Let a summary be, because nothing happened."""
        ...
