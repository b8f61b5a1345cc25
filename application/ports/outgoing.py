"""Outgoing webhooks: whom an organisation wants its notifications sent to, what waits for them, and how it is sent."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from domain.errors import PortError
from domain.notification_kinds import EVERY_KIND, NotificationKind
from domain.policies.delivering import Health, Outcome, SwitchedOff


class TooManyWebhooksError(PortError):
    """An organisation has as many outgoing webhooks as it may have."""

    code = "too_many_outgoing_webhooks"


class TooManyTestsError(PortError):
    """As many tests were sent to a webhook as may be within a minute.

    Attributes:
        retry_after_s: Seconds until the next may be.
    """

    code = "too_many_tests"

    def __init__(self, most_in_a_minute: int, retry_after_s: float) -> None:
        super().__init__(f"{most_in_a_minute} tests a minute are sent to a webhook: try again in {retry_after_s:.0f} s")
        self.retry_after_s = retry_after_s


class SigningSecret(msgspec.Struct, frozen=True, kw_only=True):
    """What deliveries are signed with.

    Attributes:
        text: ``whsec_`` and base64; never shown again, never logged.
        expires_at: Aware UTC; ``None``: never.
    """

    text: str
    created_at: datetime
    expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"SigningSecret(since {self.created_at})"


class OutgoingWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where an organisation wants its notifications sent to.

    Attributes:
        kinds: Of the notifications that are sent, at least one.
        secrets: The newest first.
        switched_off_at: Aware UTC; ``None``: it is on.
        waiting: Deliveries that wait for an attempt.
        last_delivered_at: ``None``: nothing arrived yet.
    """

    id: UUID
    organization_id: UUID
    url: str
    secrets: tuple[SigningSecret, ...]
    created_at: datetime
    kinds: tuple[NotificationKind, ...] = EVERY_KIND
    health: Health = Health()
    switched_off_at: datetime | None = None
    waiting: int = 0
    last_delivered_at: datetime | None = None


class OutgoingWebhookRecords(Protocol):
    """Keeps them, for whoever administers them; secrets rest encrypted. Each call is a transaction of its own.

    Raises:
        StoreUnavailableError: Any call: nothing was changed; ask again.
    """

    def add(self, webhook: OutgoingWebhook, *, most: int) -> None:
        """Keep a new one; what is told from now on is for it.

        Raises:
            UnknownOrganizationError: Its organisation does not exist.
            TooManyWebhooksError: It has `most` of them.
        """
        ...

    def of_organization(self, organization_id: UUID) -> list[OutgoingWebhook]:
        """Give all of an organisation, oldest first."""
        ...

    def find(self, organization_id: UUID, webhook_id: UUID) -> OutgoingWebhook | None:
        """Give one of an organisation's."""
        ...

    def change(
        self, organization_id: UUID, webhook_id: UUID, *, url: str | None, kinds: tuple[NotificationKind, ...] | None
    ) -> bool:
        """Send elsewhere, as if nothing had failed, or other kinds; `False`: the organisation has no such webhook.

        What is ``None`` stays as it is, also if somebody else changes it meanwhile. Whoever sends to another address at
        this moment has lost its lease.
        """
        ...

    def change_secrets(
        self,
        organization_id: UUID,
        webhook_id: UUID,
        change: Callable[[tuple[SigningSecret, ...]], tuple[SigningSecret, ...]],
    ) -> bool:
        """Replace the secrets while nobody else does; `False`: the organisation has no such webhook."""
        ...

    def switch_on(self, organization_id: UUID, webhook_id: UUID) -> bool:
        """Begin anew with what waits, as if nothing had failed; `False`: the organisation has no such webhook.

        Whoever sends to it at this moment has lost its lease.
        """
        ...

    def switch_off(self, organization_id: UUID, webhook_id: UUID, why: SwitchedOff, at: datetime) -> bool:
        """Send nothing any more; `False`: the organisation has no such webhook."""
        ...

    def remove(self, organization_id: UUID, webhook_id: UUID) -> bool:
        """Delete one with its deliveries; `False`: the organisation has no such webhook."""
        ...

    def add_test(
        self, organization_id: UUID, webhook_id: UUID, message_id: str, at: datetime, *, most_in_a_minute: int
    ) -> int | None:
        """Have a test delivered; gives the delivery's id, `None` if the organisation has no such webhook.

        Raises:
            TooManyTestsError: Nothing is sent.
        """
        ...

    def retry(self, organization_id: UUID, webhook_id: UUID, delivery_id: int, at: datetime) -> bool | None:
        """Have a delivery that is not waiting attempted once more, at once, with all its retries.

        Returns:
            `False`: its notification is gone, or told anew since; `None`: there is no such delivery.
        """
        ...


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery that is due.

    Attributes:
        id: The same at every attempt, so that receivers tell repetitions.
        attempts: That were made before, since somebody last asked for a retry.
        body: As it is sent.
    """

    delivery_id: int
    id: str
    attempts: int
    body: bytes


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What is due for one webhook.

    Attributes:
        secrets: In force now, the newest first; none: they cannot be opened.
        messages: Those that wait longest.
    """

    url: str
    secrets: tuple[str, ...]
    health: Health
    messages: Sequence[Message]


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """What came of sending a message.

    Attributes:
        status: What the receiver answered; ``None``: nothing.
        duration_ms: Until the answer, or until it was given up.
        wish: How long the receiver asked to be left in peace.
    """

    outcome: Outcome
    status: int | None
    duration_ms: int
    wish: timedelta = timedelta(0)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What an attempt makes of its delivery.

    Attributes:
        at: When it was made.
        next_attempt_at: ``None``: it is finished.
    """

    delivery_id: int
    attempt: Attempt
    at: datetime
    next_attempt_at: datetime | None


class Outbox(Protocol):
    """What waits to be sent. One process at a time holds a webhook, under a lease that others respect until it ends.

    Raises:
        StoreUnavailableError: Any call: nothing was changed; ask again.
    """

    def claim(self, lease: UUID, now: datetime, *, until: datetime, most: int) -> Sequence[UUID]:
        """Take the webhooks that have something due and are nobody's; those that were served longest ago come first."""
        ...

    def take(self, webhook_id: UUID, lease: UUID, now: datetime, *, until: datetime, most: int) -> Batch | None:
        """Fill the outbox with what was announced meanwhile, prolong the lease, and give what is due.

        What is not true any more is dropped: a notification that was deleted, or that is told anew.

        Returns:
            ``None``: the webhook is another's by now, off, or gone.
        """
        ...

    def record(self, webhook_id: UUID, lease: UUID, results: Sequence[Result], health: Health, now: datetime) -> bool:
        """Keep what came of attempts, and how the receiver does.

        Returns:
            `False`: the lease was lost, since somebody changed the webhook or it took too long. What arrived has
            arrived; all else is for others to say.
        """
        ...

    def release(self, webhook_id: UUID, lease: UUID, now: datetime) -> None:
        """Let a webhook go."""
        ...

    def forget_before(self, instant: datetime, *, most: int) -> int:
        """Delete deliveries that were made before an instant, with their attempts; gives how many."""
        ...


class Courier(Protocol):
    """Sends messages to where they may be sent."""

    async def send(self, url: str, secrets: Sequence[str], message: Message, now: datetime) -> Attempt:
        """Send one, signed with every secret; never fails but by what it gives."""
        ...
