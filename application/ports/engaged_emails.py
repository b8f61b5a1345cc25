"""Which emails may have opens and clicks to judge."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec


class EngagedEmail(msgspec.Struct, frozen=True):
    """An email about which something was recorded.

    Attributes:
        email_log_id: Its place; ascending.
    """

    email_log_id: int
    organization_id: UUID
    email_id: UUID


class EngagedEmails(Protocol):
    """Finds emails by when something was last recorded about them."""

    def count(self, since: datetime, organization_id: UUID | None) -> int:
        """Say how many there are.

        Raises:
            UnknownOrganizationError: There is no such organisation.
        """
        ...

    def after(
        self, email_log_id: int, since: datetime, organization_id: UUID | None, *, most: int
    ) -> Sequence[EngagedEmail]:
        """Give the next ones.

        Args:
            email_log_id: After which they come; 0 for the first.
            since: Aware UTC; something was recorded about them then or later.
            organization_id: Whose; ``None``: all organisations'.
            most: How many.
        """
        ...
