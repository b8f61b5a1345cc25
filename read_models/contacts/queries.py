"""Which contacts are worth a follow-up."""

from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from read_models.audience import Audience
from read_models.paging import Page, PageRequest


class EngagedContact(msgspec.Struct, frozen=True, kw_only=True):
    """A contact over all campaigns, with the human opens and clicks of their emails.

    Attributes:
        machine_open_count: Opens by machines, in none of the two before; ``scanner_click_count`` likewise.
    """

    contact_id: str
    opens: int
    clicks: int
    machine_open_count: int
    scanner_click_count: int


class NotEngagedContact(msgspec.Struct, frozen=True, kw_only=True):
    """A contact who got tracked emails and did nothing with them.

    Attributes:
        email: The address of the latest email; ``None`` where the person was erased.
        emails: Tracked emails that arrived.
        last_sent_at: When the latest of these was sent.
    """

    contact_id: str
    name: str | None
    email: str | None
    emails: int
    last_sent_at: datetime


class NotEngagedFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which emails count; ``None`` asks for nothing."""

    campaign_id: UUID | None = None
    sent_before: datetime | None = None


class ContactQueries(Protocol):
    """Contacts by their engagement."""

    async def engaged(self, audience: Audience, *, min_clicks: int, page: PageRequest) -> Page[EngagedContact]:
        """List contacts with at least so many clicks, the most clicks first.

        Raises:
            InvalidCursorError: The cursor is of another list.
            AnswersUnavailableError: Ask again later.
        """
        ...

    async def not_engaged(
        self, audience: Audience, wanted: NotEngagedFilter, page: PageRequest
    ) -> Page[NotEngagedContact]:
        """List contacts who neither opened, clicked nor answered any of these emails, the latest sent first.

        At least one tracked email reached them. Nobody is in the list of whom the organisation knows, from any email,
        that they cannot or do not want to be written to: bounced, unsubscribed, spam reported, opted out.

        Raises:
            InvalidCursorError: The cursor is of another list.
            AnswersUnavailableError: Ask again later.

        Source:
            USE-6: follow-up lists.
        """
        ...
