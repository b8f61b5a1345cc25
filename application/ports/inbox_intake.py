"""The door of the inbox: what passed it survives the end of any process."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.errors import PortError


class DeliveryNotKeptError(PortError):
    """A delivery may not have become durable: it must not be acknowledged; the provider should retry (503)."""

    code = "not_durable"


class InboxOverloadedError(DeliveryNotKeptError):
    """More is waiting to be kept than memory is set aside for."""

    code = "overloaded"


class ProvenDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery whose sender is proven, as it is kept.

    Attributes:
        correlation_id: Follows the delivery from the request into events and logs.
        received_at: Aware UTC.
        headers: Those that the provider's `translate` needs; lower-case names.
        body: Exactly as received.
    """

    endpoint_id: UUID
    organization_id: UUID
    provider: str
    correlation_id: str
    received_at: datetime
    headers: Mapping[str, str]
    body: bytes


class InboxIntake(Protocol):
    """Takes deliveries in."""

    async def keep(self, delivery: ProvenDelivery) -> None:
        """Return once the delivery is committed, and never before.

        Raises:
            DeliveryNotKeptError: It may not be; it also may be, so that a retry can repeat it.
        """
        ...
