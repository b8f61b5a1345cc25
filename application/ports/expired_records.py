"""What is kept beyond its time, and how it goes."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.errors import PortError


class RetentionBusyError(PortError):
    """Another process is purging already."""

    code = "retention_busy"


class PurgeWaitsError(PortError):
    """Nothing can be purged right now: a read model is being rebuilt, or has not folded what would go."""

    code = "purge_waits"


class Expired(msgspec.Struct, frozen=True, kw_only=True):
    """What of an organisation is kept beyond its time.

    Attributes:
        retention_days: How long the organisation keeps.
        before: What was sent or received before this instant goes.
        events: Facts about the emails.
        parked_reports: Orphans and failures.
        waiting_deliveries: In the inbox.
        oldest_sent_at: Of the emails; ``None``: there are none.
    """

    organization_id: UUID
    retention_days: int
    before: datetime
    emails: int
    events: int
    parked_reports: int
    waiting_deliveries: int
    oldest_sent_at: datetime | None


class PurgedEmails(msgspec.Struct, frozen=True, kw_only=True):
    """What went in one transaction."""

    emails: int = 0
    events: int = 0


class ExpiredRecords(Protocol):
    """Finds and deletes what is beyond its time. Each call is a transaction of its own."""

    def alone(self) -> AbstractContextManager[None]:
        """Be the only one who purges, in all processes.

        Raises:
            RetentionBusyError: Somebody else is.
        """
        ...

    def organizations(self) -> Sequence[UUID]:
        """Give all organisations."""
        ...

    def survey(self, organization_id: UUID, now: datetime) -> Expired:
        """Count what would go, and change nothing."""
        ...

    def purge_emails(self, organization_id: UUID, now: datetime, *, most: int) -> PurgedEmails:
        """Delete the oldest emails whose time is up, and keep a fact of what must stay.

        While it lasts, nothing is recorded for the organisation.

        Returns:
            What went; no emails: there is nothing more to delete.

        Raises:
            PurgeWaitsError: Not now.
        """
        ...

    def purge_reports(self, organization_id: UUID, now: datetime, *, most: int) -> int:
        """Delete parked reports and waiting deliveries that came before the organisation's time.

        Returns:
            How many; fewer than `most`: there is nothing more to delete.
        """
        ...

    def tidy(self) -> None:
        """Forget what purges noted for read models that have done their part since."""
        ...
