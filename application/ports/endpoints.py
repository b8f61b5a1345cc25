"""Webhook endpoints: where an organisation's providers report to, and how they prove themselves."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.counted import counted
from domain.errors import PortError
from domain.ip import IpNetwork


class EndpointsUnavailableError(PortError):
    """Which endpoints there are cannot be said now; the provider should retry (503)."""

    code = "endpoints_unavailable"


class UnknownOrganizationError(PortError):
    """There is no such organisation."""

    code = "unknown_organization"

    def __init__(self, organization_id: UUID) -> None:
        super().__init__(f"there is no organisation {organization_id}: `mailpulse org list` names those there are")
        self.organization_id = organization_id


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One webhook address of one organisation at one provider.

    Attributes:
        keys: Active verification keys in the form the provider shows them; any may match. Never shown or logged.
        allowed_networks: Who may post here; empty: everybody who can sign.
        requests_per_minute: Shared by all processes.
        tolerance_s: Oldest accepted signature time in seconds; ``None``: the provider's own default.
        disabled_at: Aware UTC; a disabled endpoint receives nothing.
    """

    id: UUID
    organization_id: UUID
    provider: str
    keys: tuple[str, ...]
    allowed_networks: tuple[IpNetwork, ...]
    requests_per_minute: int
    tolerance_s: int | None
    created_at: datetime
    disabled_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Endpoint({self.id}, {self.provider}, {counted(len(self.keys), 'key')})"


class EndpointDirectory(Protocol):
    """Finds endpoints on the hot path."""

    async def find(self, endpoint_id: UUID) -> Endpoint | None:
        """Give the endpoint if it exists and is not disabled; at most 5 s old while the database answers.

        Raises:
            EndpointsUnavailableError: It cannot be said now.
        """
        ...


class EndpointRecords(Protocol):
    """Keeps endpoints, for whoever administers them; verification keys rest encrypted."""

    def add(self, endpoint: Endpoint) -> None:
        """Keep a new endpoint.

        Raises:
            UnknownOrganizationError: Its organisation does not exist.
        """
        ...

    def change(
        self, organization_id: UUID, endpoint_id: UUID, change: Callable[[Endpoint], Endpoint]
    ) -> Endpoint | None:
        """Replace an endpoint by `change(endpoint)` while nobody else changes it.

        Only keys and ``disabled_at`` may differ; what `change` raises leaves everything as it was.

        Returns:
            The endpoint as it is now; ``None`` if the organisation has no such endpoint.
        """
        ...

    def of_organization(self, organization_id: UUID) -> list[Endpoint]:
        """Give all its endpoints, disabled ones too, oldest first."""
        ...
