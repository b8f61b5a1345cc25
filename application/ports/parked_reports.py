"""Reports that cannot be recorded yet: those without an email, those that nobody understands."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.commands import AnyReport


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """A report about an email that nobody registered (EF-2); it waits for that.

    Attributes:
        id: 0 until it is kept.
        email_id: The email that it will belong to.
    """

    id: int = 0
    organization_id: UUID
    endpoint_id: UUID
    provider: str
    email_id: UUID
    report: AnyReport
    delivery_id: int
    received_at: datetime


class FailedReport(msgspec.Struct, frozen=True, kw_only=True):
    """A report, or a whole delivery, that cannot be understood; it waits for a person.

    Attributes:
        id: 0 until it is kept.
        reason: A sentence that names what is wrong; no personal data.
        body: What `Provider.translate` would take again.
        is_kept: Whether headers and body are; without them it comes back empty and cannot be tried again.
    """

    id: int = 0
    organization_id: UUID
    endpoint_id: UUID
    provider: str
    reason: str
    message_id: str
    headers: Mapping[str, str]
    body: bytes
    delivery_id: int
    received_at: datetime
    is_kept: bool = True


class ParkedReports(Protocol):
    """Part of a unit of work."""

    def park_orphans(self, orphans: Sequence[Orphan]) -> None:
        """Keep reports until their email is registered; a repeated one is kept once."""
        ...

    def park_failures(self, failures: Sequence[FailedReport]) -> None:
        """Keep reports until a person has looked; a repeated one is kept once."""
        ...

    def orphans_of(self, email_ids: Sequence[UUID]) -> list[Orphan]:
        """Take the orphans of these emails that no other worker holds."""
        ...

    def organizations_of_orphans(self, email_ids: Sequence[UUID]) -> set[UUID]:
        """Name whose orphans these are, by what stands for their email; takes none."""
        ...

    def organizations_of_known_orphans(self, *, most: int) -> set[UUID]:
        """Name whose orphans have an email that has been registered since; looks at the oldest of them, takes none."""
        ...

    def orphans_whose_email_is_known(self, organization_ids: Collection[UUID], *, most: int) -> list[Orphan]:
        """Take these organisations' orphans whose email has been registered since, and that no other worker holds."""
        ...

    def report(self, organization_id: UUID, report_id: int) -> Orphan | FailedReport | None:
        """Take one report of an organisation."""
        ...

    def forget(self, report_ids: Sequence[int]) -> None:
        """Let go of reports that have found their way."""
        ...
