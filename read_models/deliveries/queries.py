"""Which webhook reports could not be used, and why."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from read_models.paging import Page, PageRequest


class ParkedStatus(StrEnum):
    """Whom a report waits for: a person, or its email to be registered."""

    FAILED = "failed"
    ORPHANED = "orphaned"


class ParkedDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A report that could not be used.

    Attributes:
        reason: A sentence that says what is wrong.
        message_id: The provider's, as far as it could be told, or "".
        email_id: The email that an orphan waits for.
        times_seen: How often the provider reported the same.
    """

    id: int
    status: ParkedStatus
    provider: str
    endpoint_id: UUID
    reason: str
    message_id: str
    email_id: UUID | None
    delivery_id: int
    received_at: datetime
    parked_at: datetime
    times_seen: int


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Reports that wait, by id.

    Attributes:
        number: How many there are, those beyond `ids` too.
    """

    ids: list[int]
    number: int


class DeliveryQueries(Protocol):
    """Reports that wait for somebody."""

    async def parked(
        self, organization_id: UUID, status: ParkedStatus | None, page: PageRequest
    ) -> Page[ParkedDelivery]:
        """List them, the latest first.

        Raises:
            InvalidCursorError: The cursor is of another list.
            AnswersUnavailableError: Ask again later.
        """
        ...

    async def last_received(self, organization_id: UUID) -> Mapping[UUID, datetime]:
        """Give when each endpoint that was ever reported to was last reported to, to the second.

        Reports that still wait in the inbox are not known of yet; zeros stand for the service's own pixel and links.

        Raises:
            AnswersUnavailableError: Ask again later.
        """
        ...

    async def waiting(
        self, organization_id: UUID, status: ParkedStatus | None, *, below: int | None, most: int
    ) -> Waiting:
        """Give the ids of some of them, the latest first, and how many there are.

        Args:
            organization_id: Whose reports.
            status: ``None``: whatever they wait for.
            below: Only ids smaller than this one; ``None``: all.
            most: Ids to give.

        Raises:
            AnswersUnavailableError: Ask again later.
        """
        ...
