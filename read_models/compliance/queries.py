"""Which recipients unsubscribed, and which called an email spam."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from read_models.audience import Audience
from read_models.paging import Page, PageRequest
from read_models.periods import Period


class Complaint(StrEnum):
    """What a recipient told us by way of their mail program."""

    UNSUBSCRIBED = "unsubscribed"
    SPAM_REPORTED = "spam_reported"


class ComplianceRecord(msgspec.Struct, frozen=True, kw_only=True):
    """An email whose recipient unsubscribed, or called it spam.

    Attributes:
        occurred_at: Of the first such report about the email.
        recipient_email: ``None`` where the person was erased.
    """

    occurred_at: datetime
    recipient_email: str | None
    recipient_name: str | None
    recipient_type: str
    recipient_id: str
    email_id: UUID
    email_log_id: int
    subject: str
    sent_at: datetime
    campaign_id: UUID | None
    template_id: str | None
    template_name: str | None
    job_id: str | None
    sender_id: str
    provider: str
    message_id: str


class ComplianceQueries(Protocol):
    """What was reported to us, as evidence."""

    async def records(
        self, audience: Audience, complaint: Complaint, period: Period, page: PageRequest
    ) -> Page[ComplianceRecord]:
        """List the emails that were answered like this within a period, the latest report first.

        Raises:
            InvalidCursorError: The cursor is of another list.
            AnswersUnavailableError: Ask again later.

        Source:
            USE-7: compliance, unsubscribes and spam reports.
        """
        ...
