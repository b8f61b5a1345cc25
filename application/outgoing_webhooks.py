"""Administer outgoing webhooks: register them, renew their secrets, try them, switch them off and on."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from secrets import token_bytes
from typing import Final
from uuid import UUID, uuid4

import msgspec

from application.checked_fields import Flaw, InvalidFieldsError
from application.fingerprints import fingerprint_of
from application.ports.clock import Clock
from application.ports.outgoing import OutgoingWebhook, OutgoingWebhookRecords, SigningSecret
from domain.errors import ApplicationError
from domain.ip import IpNetwork
from domain.notification_kinds import EVERY_KIND, NotificationKind
from domain.policies.delivering import SwitchedOff
from domain.receiver_addresses import flaws_of, spelled_alike

MOST_WEBHOOKS: Final = 10
TESTS_PER_MINUTE: Final = 10
SECRET_BYTES: Final = 32
USUAL_OVERLAP_HOURS: Final = 24
LONGEST_OVERLAP_HOURS: Final = 7 * 24
MOST_SECRETS: Final = 5


class InvalidOutgoingWebhookError(InvalidFieldsError):
    """An address that nothing can be sent to, or nothing that is to be sent; nothing was changed."""

    code = "invalid_outgoing_webhook"


class InvalidOverlapError(ApplicationError):
    """A time for which old secrets cannot stay in force."""

    code = "invalid_overlap"


class OutgoingWebhookNotFoundError(ApplicationError):
    """The organisation has no such outgoing webhook."""

    code = "outgoing_webhook_not_found"


class OutgoingDeliveryNotFoundError(ApplicationError):
    """The webhook has no such delivery; after 90 days it is forgotten."""

    code = "outgoing_delivery_not_found"


class WebhookOffError(ApplicationError):
    """The webhook is off, so nothing is sent."""

    code = "outgoing_webhook_off"


class NothingToSendError(ApplicationError):
    """What was to be delivered once more is no longer true."""

    code = "nothing_to_send"


class SecretView(msgspec.Struct, frozen=True, kw_only=True):
    """A secret as it may be shown.

    Attributes:
        fingerprint: See `fingerprint_of`; ``whsec_`` is part of the text.
        expires_at: ``None``: never.
    """

    fingerprint: str
    created_at: datetime
    expires_at: datetime | None


class OutgoingWebhookView(msgspec.Struct, frozen=True, kw_only=True):
    """An outgoing webhook as it may be shown.

    Attributes:
        kinds: Of the notifications that are sent there.
        state: ``on``, ``failing`` (the latest attempts failed; it goes on trying) or ``off``.
        switched_off_because: ``by_admin``, ``gone`` (the receiver answered 410) or ``failing`` (nothing arrived for 5
            days).
        waiting: Deliveries that wait for an attempt, at most 1,000; what is beyond follows them.
    """

    webhook_id: UUID
    url: str
    kinds: tuple[NotificationKind, ...]
    state: str
    created_at: datetime
    secrets: tuple[SecretView, ...]
    failing_since: datetime | None
    next_attempt_not_before: datetime | None
    switched_off_at: datetime | None
    switched_off_because: SwitchedOff | None
    last_delivered_at: datetime | None
    waiting: int


class NewSecret(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook with the secret that was made for it.

    Attributes:
        secret: ``whsec_`` and base64; shown this once.
    """

    webhook: OutgoingWebhookView
    secret: str

    def __repr__(self) -> str:
        return f"NewSecret({self.webhook.webhook_id})"


class OutgoingWebhooks:
    """What an administrator does with an organisation's outgoing webhooks; a change takes effect within seconds.

    Args:
        records: Where they are kept.
        clock: Gives aware UTC.
        networks: Which the operator opens although they are not public.

    Source:
        AF-3 for host applications; ADR 0019.
    """

    def __init__(self, records: OutgoingWebhookRecords, clock: Clock, networks: Iterable[IpNetwork] = ()) -> None:
        self._records = records
        self._clock = clock
        self._networks = tuple(networks)

    def add(self, organization_id: UUID, url: str, kinds: Sequence[NotificationKind] = EVERY_KIND) -> NewSecret:
        """Register an address; what people are told from now on is sent there.

        Args:
            organization_id: Whose notifications.
            url: Where to.
            kinds: Of the notifications that are to be sent, at least one.

        Raises:
            InvalidOutgoingWebhookError: Says everything that is wrong.
            TooManyWebhooksError: The organisation has as many as it may have.
            UnknownOrganizationError: There is no such organisation.
        """
        self._refuse_flaws(url, kinds)
        now = self._clock()
        secret = _made(now)
        webhook = OutgoingWebhook(
            id=uuid4(),
            organization_id=organization_id,
            url=spelled_alike(url),
            kinds=tuple(dict.fromkeys(kinds)),
            secrets=(secret,),
            created_at=now,
        )
        self._records.add(webhook, most=MOST_WEBHOOKS)
        return NewSecret(webhook=_view(webhook, now), secret=secret.text)

    def of_organization(self, organization_id: UUID) -> list[OutgoingWebhookView]:
        """Give all of an organisation, oldest first."""
        now = self._clock()
        return [_view(webhook, now) for webhook in self._records.of_organization(organization_id)]

    def show(self, organization_id: UUID, webhook_id: UUID) -> OutgoingWebhookView:
        """Give one.

        Raises:
            OutgoingWebhookNotFoundError: The organisation has no such webhook.
        """
        webhook = self._records.find(organization_id, webhook_id)
        if webhook is None:
            raise _not_found(webhook_id)
        return _view(webhook, self._clock())

    def change(
        self,
        organization_id: UUID,
        webhook_id: UUID,
        *,
        url: str | None = None,
        kinds: Sequence[NotificationKind] | None = None,
    ) -> OutgoingWebhookView:
        """Send to another address, or other kinds of notifications; id, secrets and log stay.

        What waits is sent to the new address, whose failures begin anew. Another choice of kinds holds for what is told
        from now on.

        Args:
            organization_id: Whose webhook it is.
            webhook_id: Of the webhook.
            url: ``None``: as before.
            kinds: ``None``: as before.

        Raises:
            InvalidOutgoingWebhookError: Says everything that is wrong.
            OutgoingWebhookNotFoundError: The organisation has no such webhook.
        """
        before = self.show(organization_id, webhook_id)
        chosen = None if kinds is None else tuple(dict.fromkeys(kinds))
        moved = url if url != before.url else None  # what was registered stays, whatever the operator closed since
        self._refuse_flaws(moved, chosen)
        where = None if moved is None else spelled_alike(moved)
        if not self._records.change(organization_id, webhook_id, url=where, kinds=chosen):
            raise _not_found(webhook_id)
        return self.show(organization_id, webhook_id)

    def renew_secret(
        self, organization_id: UUID, webhook_id: UUID, *, overlap_hours: int = USUAL_OVERLAP_HOURS
    ) -> NewSecret:
        """Make a new secret; older ones go on signing beside it for a while, so that receivers change without a gap.

        Args:
            organization_id: Whose webhook it is.
            webhook_id: Of the webhook.
            overlap_hours: How long; 0: older ones sign nothing from now on.

        Raises:
            InvalidOverlapError: Nothing was changed.
            OutgoingWebhookNotFoundError: The organisation has no such webhook.
        """
        if not 0 <= overlap_hours <= LONGEST_OVERLAP_HOURS:
            raise InvalidOverlapError(f"is {overlap_hours}: give whole hours from 0 to {LONGEST_OVERLAP_HOURS}")
        now = self._clock()
        secret = _made(now)
        ends = now + timedelta(hours=overlap_hours)

        def renewed(secrets: tuple[SigningSecret, ...]) -> tuple[SigningSecret, ...]:
            older = [
                msgspec.structs.replace(one, expires_at=min(one.expires_at or ends, ends))
                for one in secrets
                if one.expires_at is None or one.expires_at > now
            ]
            return (secret, *(one for one in older if overlap_hours))[:MOST_SECRETS]

        if not self._records.change_secrets(organization_id, webhook_id, renewed):
            raise _not_found(webhook_id)
        return NewSecret(webhook=self.show(organization_id, webhook_id), secret=secret.text)

    def switch_on(self, organization_id: UUID, webhook_id: UUID) -> OutgoingWebhookView:
        """Send again, beginning with what was not sent while it was off, and forget past failures.

        Raises:
            OutgoingWebhookNotFoundError: The organisation has no such webhook.
        """
        if not self._records.switch_on(organization_id, webhook_id):
            raise _not_found(webhook_id)
        return self.show(organization_id, webhook_id)

    def switch_off(self, organization_id: UUID, webhook_id: UUID) -> OutgoingWebhookView:
        """Send nothing until it is switched on.

        Raises:
            OutgoingWebhookNotFoundError: The organisation has no such webhook.
        """
        if not self._records.switch_off(organization_id, webhook_id, SwitchedOff.BY_ADMIN, self._clock()):
            raise _not_found(webhook_id)
        return self.show(organization_id, webhook_id)

    def remove(self, organization_id: UUID, webhook_id: UUID) -> None:
        """Delete one, with what waits for it and its log.

        Raises:
            OutgoingWebhookNotFoundError: The organisation has no such webhook.
        """
        if not self._records.remove(organization_id, webhook_id):
            raise _not_found(webhook_id)

    def test(self, organization_id: UUID, webhook_id: UUID) -> int:
        """Have a test delivered like anything else; gives the delivery's id.

        Raises:
            OutgoingWebhookNotFoundError: The organisation has no such webhook.
            TooManyTestsError: There were `TESTS_PER_MINUTE` within a minute.
            WebhookOffError: It is off.
        """
        self._must_be_on(organization_id, webhook_id)
        delivery_id = self._records.add_test(
            organization_id, webhook_id, f"msg_test_{uuid4().hex}", self._clock(), most_in_a_minute=TESTS_PER_MINUTE
        )
        if delivery_id is None:
            raise _not_found(webhook_id)
        return delivery_id

    def retry(self, organization_id: UUID, webhook_id: UUID, delivery_id: int) -> None:
        """Have a delivery attempted once more, now and then as often as a new one.

        Raises:
            OutgoingWebhookNotFoundError: The organisation has no such webhook.
            OutgoingDeliveryNotFoundError: The webhook has no such delivery.
            WebhookOffError: It is off.
            NothingToSendError: Its notification is gone, or was told anew under another id.
        """
        self._must_be_on(organization_id, webhook_id)
        is_due = self._records.retry(organization_id, webhook_id, delivery_id, self._clock())
        if is_due is None:
            raise OutgoingDeliveryNotFoundError(f"the webhook has no delivery {delivery_id}")
        if not is_due:
            raise NothingToSendError("the notification is gone, or was told anew by a later delivery")

    def _refuse_flaws(self, url: str | None, kinds: Sequence[NotificationKind] | None) -> None:
        flaws = [] if url is None else [Flaw("url", flaw) for flaw in flaws_of(url, self._networks)]
        if kinds is not None and not kinds:
            flaws.append(Flaw("kinds", "are none: choose one or more, or switch the webhook off"))
        if flaws:
            raise InvalidOutgoingWebhookError(flaws)

    def _must_be_on(self, organization_id: UUID, webhook_id: UUID) -> None:
        if self.show(organization_id, webhook_id).switched_off_at is not None:
            raise WebhookOffError("the webhook is off: switch it on first")


def _not_found(webhook_id: UUID) -> OutgoingWebhookNotFoundError:
    return OutgoingWebhookNotFoundError(f"there is no outgoing webhook {webhook_id}")


def _made(now: datetime) -> SigningSecret:
    return SigningSecret(text=f"whsec_{b64encode(token_bytes(SECRET_BYTES)).decode()}", created_at=now)


def _view(webhook: OutgoingWebhook, now: datetime) -> OutgoingWebhookView:
    health = webhook.health
    state = "off" if webhook.switched_off_at else "failing" if health.failing_since else "on"
    return OutgoingWebhookView(
        webhook_id=webhook.id,
        url=webhook.url,
        kinds=webhook.kinds,
        state=state,
        created_at=webhook.created_at,
        secrets=tuple(
            SecretView(
                fingerprint=fingerprint_of(secret.text),
                created_at=secret.created_at,
                expires_at=secret.expires_at,
            )
            for secret in webhook.secrets
            if secret.expires_at is None or secret.expires_at > now
        ),
        failing_since=health.failing_since,
        next_attempt_not_before=health.paused_until,
        switched_off_at=webhook.switched_off_at,
        switched_off_because=health.switched_off,
        last_delivered_at=webhook.last_delivered_at,
        waiting=webhook.waiting,
    )
