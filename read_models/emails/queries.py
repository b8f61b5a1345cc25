"""What was sent to whom, and what became of each email."""

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import msgspec

from read_models.audience import Audience
from read_models.paging import Page, PageRequest


class EmailRecipient(msgspec.Struct, frozen=True, kw_only=True):
    """Whom an email went to."""

    type: str
    id: str
    email: str
    name: str


class EmailSender(msgspec.Struct, frozen=True, kw_only=True):
    """Who sent an email."""

    id: str
    name: str


class EmailTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """What an email was written with."""

    id: str
    name: str


class EmailView(msgspec.Struct, frozen=True, kw_only=True):
    """One email with what is known about it.

    Attributes:
        open_count: Human opens, repeated ones included.
        click_count: Human clicks, repeated ones included.
        unique_click_count: Different links a person followed.
        bounce_type: ``hard``, ``soft`` or ``block``.
        machine_open_count: Opens by machines; in no other count, unless that is asked for.
        scanner_click_count: Clicks by machines; in no other count, unless that is asked for.
        time_to_open_seconds: From sending to the first human open.
    """

    email_id: UUID
    email_log_id: int
    provider: str
    message_id: str
    tracking_id: str
    tracking: bool
    subject: str
    recipient: EmailRecipient
    sender: EmailSender
    job_id: str | None
    template: EmailTemplate | None
    campaign_id: UUID | None
    campaign_contact_id: UUID
    sent_at: datetime
    delivered_at: datetime | None
    opened_at: datetime | None
    open_count: int
    clicked_at: datetime | None
    click_count: int
    unique_click_count: int
    replied_at: datetime | None
    reply_count: int
    bounced_at: datetime | None
    bounce_type: str | None
    bounce_reason: str | None
    dropped_at: datetime | None
    drop_reason: str | None
    unsubscribed_at: datetime | None
    spam_reported_at: datetime | None
    machine_open_count: int
    scanner_click_count: int
    time_to_open_seconds: float | None


class TimelineEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened to an email.

    Attributes:
        engagement_event_id: Place in the order of all events.
        event_type: ``open``, ``click``, ``bounce``, ``spam``, ``unsubscribe``, ``delivered``, ``reply`` …
        event_data: Link text and position, device, bounce reason …, as far as known.
        verdict: Who caused an open or a click; ``None`` for other events.
        reasons: Rules that led to the verdict.
    """

    engagement_event_id: int
    id: UUID
    email_log_id: int
    event_type: str
    occurred_at: datetime
    url: str | None
    ip_address: str | None
    user_agent: str | None
    event_data: dict[str, Any]
    verdict: str | None
    reasons: list[str]


class EmailFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which emails are asked for; ``None`` asks for all.

    Attributes:
        sent_from: Aware; this instant and later.
        sent_to: Aware; before this instant.
    """

    candidate_id: str | None = None
    job_id: str | None = None
    campaign_id: UUID | None = None
    template_id: str | None = None
    sender_id: str | None = None
    sent_from: datetime | None = None
    sent_to: datetime | None = None


class EmailQueries(Protocol):
    """The history of sent emails."""

    async def history(
        self, audience: Audience, wanted: EmailFilter, page: PageRequest, *, with_automated: bool = False
    ) -> Page[EmailView]:
        """List emails, the latest sent first.

        Args:
            audience: For whom.
            wanted: Which emails.
            page: Which part.
            with_automated: Count opens, clicks and different links as if machines were people.

        Raises:
            InvalidCursorError: The cursor is of another list.
            AnswersUnavailableError: Ask again later.
        """
        ...

    async def email(self, audience: Audience, email_id: UUID, *, with_automated: bool = False) -> EmailView | None:
        """Give one email; ``None`` where the audience sees none of that id.

        Args:
            audience: For whom.
            email_id: Which email.
            with_automated: As for `history`.

        Raises:
            AnswersUnavailableError: Ask again later.
        """
        ...

    async def timeline(
        self, audience: Audience, email_id: UUID, page: PageRequest, *, with_automated: bool
    ) -> Page[TimelineEvent] | None:
        """List what happened to an email, earliest first; ``None`` where the audience sees none of that id.

        Args:
            audience: For whom.
            email_id: Which email.
            page: Which part.
            with_automated: Also what machines did, with the reasons why it is thought so (BR-558.7).

        Raises:
            InvalidCursorError: The cursor is of another list.
            AnswersUnavailableError: Ask again later.
        """
        ...
