"""Webhook endpoints in memory, for tests: both what the edge reads and what administration writes."""

from collections.abc import Callable, Iterable
from uuid import UUID

from application.ports.endpoints import Endpoint, EndpointsUnavailableError, UnknownOrganizationError


class MemoryEndpoints:
    """See `application.ports.endpoints`; `asked` counts look-ups, and they fail while `is_away`."""

    def __init__(self, organization_ids: Iterable[UUID] = ()) -> None:
        self.is_away = False
        self.asked = 0
        self._organization_ids = set(organization_ids)
        self._endpoints: dict[UUID, Endpoint] = {}

    async def find(self, endpoint_id: UUID) -> Endpoint | None:
        self.asked += 1
        if self.is_away:
            raise EndpointsUnavailableError("the memory is away")
        endpoint = self._endpoints.get(endpoint_id)
        return None if endpoint is None or endpoint.disabled_at is not None else endpoint

    def add(self, endpoint: Endpoint) -> None:
        if endpoint.organization_id not in self._organization_ids:
            raise UnknownOrganizationError(endpoint.organization_id)
        self._endpoints[endpoint.id] = endpoint

    def change(
        self, organization_id: UUID, endpoint_id: UUID, change: Callable[[Endpoint], Endpoint]
    ) -> Endpoint | None:
        endpoint = self._endpoints.get(endpoint_id)
        if endpoint is None or endpoint.organization_id != organization_id:
            return None
        self._endpoints[endpoint_id] = change(endpoint)
        return self._endpoints[endpoint_id]

    def of_organization(self, organization_id: UUID) -> list[Endpoint]:
        own = [endpoint for endpoint in self._endpoints.values() if endpoint.organization_id == organization_id]
        return sorted(own, key=lambda endpoint: (endpoint.created_at, endpoint.id))
