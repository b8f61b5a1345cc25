"""Which contacts are worth a follow-up."""

from typing import Protocol

import msgspec

from read_models.audience import Audience
from read_models.paging import Page, PageRequest


class EngagedContact(msgspec.Struct, frozen=True, kw_only=True):
    """A contact over all campaigns, with the human opens and clicks of their emails."""

    contact_id: str
    opens: int
    clicks: int


class ContactQueries(Protocol):
    """Contacts by their engagement."""

    async def engaged(self, audience: Audience, *, min_clicks: int, page: PageRequest) -> Page[EngagedContact]:
        """List contacts with at least so many clicks, the most clicks first.

        Raises:
            InvalidCursorError: The cursor is of another list.
            AnswersUnavailableError: Ask again later.
        """
        ...
