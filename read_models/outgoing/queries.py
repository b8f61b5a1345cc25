"""What was sent to an outgoing webhook, and what came of it."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

import msgspec

from read_models.paging import Page, PageRequest


class DeliveryStatus(StrEnum):
    """What is to become of a delivery."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    """No more attempts are made by themselves."""
    DROPPED = "dropped"
    """What it told of is not true any more."""


class DeliveryKind(StrEnum):
    """What a delivery tells."""

    NOTIFICATION = "notification"
    TEST = "test"


class LoggedAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt.

    Attributes:
        outcome: ``delivered``, or what went wrong; see `docs/outgoing_webhooks.md`.
        http_status: What the receiver answered; ``None``: nothing.
    """

    number: int
    attempted_at: datetime
    outcome: str
    http_status: int | None
    duration_ms: int


class OutgoingDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery, without what it told.

    Attributes:
        message_id: The ``webhook-id`` of every attempt.
        notification_id: ``None`` in tests.
        reason: Why it was dropped: ``gone`` (deleted since) or ``told_anew`` (by a later delivery); else "".
        next_attempt_at: Earliest; ``None``: none is planned.
        attempts: The earliest first.
    """

    id: int
    message_id: str
    kind: DeliveryKind
    notification_id: UUID | None
    status: DeliveryStatus
    reason: str
    created_at: datetime
    next_attempt_at: datetime | None
    finished_at: datetime | None
    attempts: list[LoggedAttempt]


class OutgoingDeliveryQueries(Protocol):
    """The log of deliveries; it is kept for 90 days."""

    async def deliveries(
        self, organization_id: UUID, webhook_id: UUID, status: DeliveryStatus | None, page: PageRequest
    ) -> Page[OutgoingDelivery]:
        """List them, the latest first.

        Raises:
            InvalidCursorError: The cursor is of another list.
            AnswersUnavailableError: Ask again later.
        """
        ...
