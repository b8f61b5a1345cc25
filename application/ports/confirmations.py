"""Subscription confirmations that wait to be carried out."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec


class DueConfirmation(msgspec.Struct, frozen=True, kw_only=True):
    """A confirmation whose time has come; see `application.ports.provider.ConfirmSubscription` for the URL.

    Attributes:
        attempts: That were made.
        requested_at: Aware UTC.
    """

    id: int
    endpoint_id: UUID
    url: str
    attempts: int
    requested_at: datetime


class Confirmations(Protocol):
    """Keeps requested confirmations until they are done or given up."""

    def due(self, now: datetime) -> Sequence[DueConfirmation]:
        """Give those whose time has come; confirming one twice does no harm."""
        ...

    def postpone(self, confirmation_id: int, error: str, until: datetime) -> None:
        """Leave one for another attempt."""
        ...

    def done(self, confirmation_id: int) -> None:
        """Forget one."""
        ...
