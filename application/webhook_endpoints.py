"""Administer webhook endpoints: add them, rotate their keys, close them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Final, TypeVar
from uuid import UUID, uuid4

import msgspec

from application.fingerprints import fingerprint_of
from application.ports.clock import Clock
from application.ports.endpoints import Endpoint, EndpointRecords
from application.ports.provider import Provider
from domain.errors import ApplicationError
from domain.ip import IpNetwork

DEFAULT_REQUESTS_PER_MINUTE: Final = 600_000
Value = TypeVar("Value")

_MOST_REQUESTS_PER_MINUTE: Final = 2**31 - 1
_MOST_TOLERANCE_S: Final = 7 * 24 * 3600
_MOST_KEYS: Final = 16
"""Each is tried on every forged delivery, while all other requests wait."""
_MOST_NETWORKS: Final = 1_000


class UnknownProviderError(ApplicationError):
    """A provider that no adapter speaks to."""

    code = "unknown_provider"


class InvalidEndpointError(ApplicationError):
    """A field of an endpoint that cannot be used; the message names it and what is accepted."""

    code = "invalid_endpoint"


class EndpointNotFoundError(ApplicationError):
    """The organisation has no such endpoint."""

    code = "endpoint_not_found"


class EndpointClosedError(ApplicationError):
    """The endpoint was closed for good, so that a key would open nothing; the message says what to do instead."""

    code = "endpoint_closed"


class KeyNotFoundError(ApplicationError):
    """The endpoint has no key with this fingerprint."""

    code = "key_not_found"


class EndpointView(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint as it may be shown: keys appear as fingerprints only.

    Attributes:
        path: Below the service's public URL; what the provider is told to post to.
        key_fingerprints: First 16 hexadecimal digits of each key's SHA-256, oldest key first.
        requests_per_minute: Shared by all processes.
        tolerance_s: Seconds; ``None``: the provider's own default.
    """

    endpoint_id: UUID
    path: str
    provider: str
    key_fingerprints: tuple[str, ...]
    allowed_networks: tuple[str, ...]
    requests_per_minute: int
    tolerance_s: int | None
    created_at: datetime
    disabled_at: datetime | None


class WebhookEndpoints:
    """What an administrator does with an organisation's endpoints; a change takes effect within 5 s.

    Args:
        providers: By name.
        records: Where endpoints are kept.
        clock: Gives aware UTC.

    Source:
        PRE-4 provider configured; SEC-1 several active keys; SEC-2; SEC-3.
    """

    def __init__(self, *, providers: Mapping[str, Provider], records: EndpointRecords, clock: Clock) -> None:
        self._providers = providers
        self._records = records
        self._clock = clock

    def add(
        self,
        organization_id: UUID,
        provider: str,
        *,
        keys: Sequence[str] = (),
        allowed_networks: Sequence[str] = (),
        requests_per_minute: int = DEFAULT_REQUESTS_PER_MINUTE,
        tolerance_s: int | None = None,
    ) -> EndpointView:
        """Open an endpoint; without a key it refuses everything until one is added.

        Args:
            organization_id: Whose emails are reported on here.
            provider: Name in the registry.
            keys: In the form the provider shows them.
            allowed_networks: CIDR texts, such as ``10.0.0.0/8``; none: any address.
            requests_per_minute: At least 1.
            tolerance_s: Oldest accepted signature time in seconds; ``None``: the provider's own default.

        Raises:
            UnknownProviderError: No adapter for this provider.
            InvalidVerificationKeyError: A key is not in the provider's form.
            InvalidEndpointError: A network, the limit or the tolerance cannot be used, or there are too many keys or
                networks.
            UnknownOrganizationError: There is no such organisation.
        """
        spoken_to = self._provider(provider)
        for key in keys:
            spoken_to.check_key(key)
        endpoint = Endpoint(
            id=uuid4(),
            organization_id=organization_id,
            provider=spoken_to.name,
            keys=_few("keys", keys, _MOST_KEYS),
            allowed_networks=_few("allowed_networks", [_network(text) for text in allowed_networks], _MOST_NETWORKS),
            requests_per_minute=_within("requests_per_minute", requests_per_minute, 1, _MOST_REQUESTS_PER_MINUTE),
            tolerance_s=None if tolerance_s is None else _within("tolerance_s", tolerance_s, 1, _MOST_TOLERANCE_S),
            created_at=self._clock(),
        )
        self._records.add(endpoint)
        return _view(endpoint)

    def add_key(self, organization_id: UUID, endpoint_id: UUID, key: str) -> EndpointView:
        """Accept one more key beside the others; adding it again changes nothing.

        Raises:
            EndpointNotFoundError: The organisation has no such endpoint.
            InvalidVerificationKeyError: The key is not in the provider's form.
            InvalidEndpointError: The endpoint has as many keys as one may have.
            EndpointClosedError: It was closed, and is never opened again.
        """

        def with_key(endpoint: Endpoint) -> Endpoint:
            if endpoint.disabled_at is not None:
                raise EndpointClosedError(
                    f"webhook endpoint {endpoint_id} is closed for good and receives nothing whatever keys it has: open"
                    " another one with this key, and have the provider post there"
                )
            self._provider(endpoint.provider).check_key(key)
            return msgspec.structs.replace(endpoint, keys=_few("keys", (*endpoint.keys, key), _MOST_KEYS))

        return _found(endpoint_id, self._records.change(organization_id, endpoint_id, with_key))

    def remove_key(self, organization_id: UUID, endpoint_id: UUID, fingerprint: str) -> EndpointView:
        """Stop accepting a key; an endpoint without keys refuses everything.

        Args:
            organization_id: Whose endpoint it is.
            endpoint_id: Of the endpoint.
            fingerprint: As `EndpointView.key_fingerprints` shows it.

        Raises:
            EndpointNotFoundError: The organisation has no such endpoint.
            KeyNotFoundError: None of its keys has this fingerprint.
        """

        def without_key(endpoint: Endpoint) -> Endpoint:
            kept = tuple(key for key in endpoint.keys if fingerprint_of(key) != fingerprint)
            if kept == endpoint.keys:
                raise KeyNotFoundError(f"endpoint {endpoint_id} has no key with the fingerprint {fingerprint[:64]!r}")
            return msgspec.structs.replace(endpoint, keys=kept)

        return _found(endpoint_id, self._records.change(organization_id, endpoint_id, without_key))

    def disable(self, organization_id: UUID, endpoint_id: UUID) -> EndpointView:
        """Close an endpoint for good; what it received stays.

        Raises:
            EndpointNotFoundError: The organisation has no such endpoint.
        """
        now = self._clock()

        def disabled(endpoint: Endpoint) -> Endpoint:
            return msgspec.structs.replace(endpoint, disabled_at=endpoint.disabled_at or now)

        return _found(endpoint_id, self._records.change(organization_id, endpoint_id, disabled))

    def of_organization(self, organization_id: UUID) -> list[EndpointView]:
        """Give all endpoints of an organisation, disabled ones too, oldest first."""
        return [_view(endpoint) for endpoint in self._records.of_organization(organization_id)]

    def _provider(self, name: str) -> Provider:
        if name not in self._providers:
            raise UnknownProviderError(
                f"unknown provider {name[:64]!r}: known are {', '.join(sorted(self._providers))}"
            )
        return self._providers[name]


def _found(endpoint_id: UUID, endpoint: Endpoint | None) -> EndpointView:
    if endpoint is None:
        raise EndpointNotFoundError(f"there is no webhook endpoint {endpoint_id}")
    return _view(endpoint)


def _view(endpoint: Endpoint) -> EndpointView:
    return EndpointView(
        endpoint_id=endpoint.id,
        path=f"/webhooks/{endpoint.provider}/{endpoint.id}",
        provider=endpoint.provider,
        key_fingerprints=tuple(fingerprint_of(key) for key in endpoint.keys),
        allowed_networks=tuple(str(network) for network in endpoint.allowed_networks),
        requests_per_minute=endpoint.requests_per_minute,
        tolerance_s=endpoint.tolerance_s,
        created_at=endpoint.created_at,
        disabled_at=endpoint.disabled_at,
    )


def _network(text: str) -> IpNetwork:
    try:
        return ip_network(text.strip())
    except ValueError as error:
        raise InvalidEndpointError(
            f"allowed network {text[:64]!r}: {error}; give a network such as 10.0.0.0/8"
        ) from error


def _within(name: str, value: int, lowest: int, highest: int) -> int:
    if not lowest <= value <= highest:
        raise InvalidEndpointError(f"{name} is {value}: give a whole number from {lowest} to {highest}")
    return value


def _few(name: str, values: Sequence[Value], most: int) -> tuple[Value, ...]:
    """Give each value once."""
    distinct = tuple(dict.fromkeys(values))
    if len(distinct) > most:
        raise InvalidEndpointError(f"{name} are {len(distinct)}: give at most {most}")
    return distinct
