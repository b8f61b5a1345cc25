"""Accept a provider's webhook: prove the sender, make the delivery durable, acknowledge, in this order."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from uuid import UUID

import msgspec

from application.ports.bell import Bell
from application.ports.clock import Clock
from application.ports.endpoints import Endpoint, EndpointDirectory
from application.ports.inbound_mail import TakesMail
from application.ports.inbox_intake import InboxIntake, ProvenDelivery
from application.ports.provider import Provider, SignatureRefusedError
from application.ports.rate_limit import RateLimit
from domain.errors import ApplicationError
from domain.ip import IpAddress, IpNetwork

logger = logging.getLogger(__name__)

MOST_BODY_BYTES: Final = 10 * 1024 * 1024
"""Largest accepted body, inclusive."""


class UnknownEndpointError(ApplicationError):
    """No such provider or endpoint, or an endpoint of another provider; a disabled one looks the same."""

    code = "unknown_endpoint"


class BodyTooLargeError(ApplicationError):
    """A body beyond `MOST_BODY_BYTES`, or a mail beyond what its provider takes."""

    code = "body_too_large"

    def __init__(self, most_bytes: int) -> None:
        super().__init__(f"the body may have {most_bytes} bytes; leave attachments out of mails")


class AddressNotAllowedError(ApplicationError):
    """A client that is not on the endpoint's allow-list, or whose address cannot be told (SEC-2)."""

    code = "address_not_allowed"


class RateLimitedError(ApplicationError):
    """More requests than the endpoint takes in a minute (SEC-3).

    Attributes:
        retry_after_s: Seconds until it takes more.
    """

    code = "rate_limited"

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("more requests than this endpoint takes in a minute")
        self.retry_after_s = retry_after_s


class IncomingWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """A request before anything about it is believed.

    Attributes:
        provider: Name in the path.
        endpoint_id: In the path, as it came.
        headers: Lower-case names; the last value of a repeated header.
        declared_bytes: Content-Length; ``None`` for a chunked body.
        client: Works out the client's address; ``None`` if it cannot be told.
        read_body: Reads at most so many bytes; raises `BodyTooLargeError` beyond.
    """

    provider: str
    endpoint_id: str
    headers: Mapping[str, str]
    declared_bytes: int | None
    client: Callable[[], IpAddress | None]
    read_body: Callable[[int], Awaitable[bytes]]
    correlation_id: str


class ReceiveWebhook:
    """Takes webhooks in; one instance serves every request of a process.

    Args:
        providers: By name.
        endpoints: Finds the endpoint that a request names.
        rate_limit: Shared by all processes.
        inbox: Makes deliveries durable.
        bell: Rung after each commit.
        clock: Gives aware UTC.

    Source:
        FLOW-1, FLOW-2, FLOW-9; SEC-1, SEC-2, SEC-3; EF-1.
    """

    def __init__(
        self,
        *,
        providers: Mapping[str, Provider],
        endpoints: EndpointDirectory,
        rate_limit: RateLimit,
        inbox: InboxIntake,
        bell: Bell,
        clock: Clock,
    ) -> None:
        self._providers = providers
        self._takers_of_mail = {name: one for name, one in providers.items() if isinstance(one, TakesMail)}
        self._endpoints = endpoints
        self._rate_limit = rate_limit
        self._inbox = inbox
        self._bell = bell
        self._clock = clock

    async def receive(self, webhook: IncomingWebhook) -> int:
        """Return once the delivery is durable, so that it may be acknowledged.

        What costs nothing is checked first: nothing of a body is read before endpoint, address and rate are in order.

        Returns:
            Bytes kept; 0 for an empty body (a provider trying the address), which proves itself and is not kept.

        Raises:
            UnknownEndpointError: Nobody is reported to at this address.
            BodyTooLargeError: Declared or found to be larger than `MOST_BODY_BYTES`, or than a mail may be.
            AddressNotAllowedError: The endpoint has an allow-list, and the client is not on it.
            RateLimitedError: Too many requests in this minute.
            SignatureRefusedError: The sender is not proven.
            VerificationUnavailableError: The proof could not be checked now.
            EndpointsUnavailableError: The endpoint could not be looked up now.
            DeliveryNotKeptError: Not durable.
        """
        provider, endpoint = await self._addressee(webhook)
        takes_mail = self._takers_of_mail.get(provider.name)
        most_bytes = MOST_BODY_BYTES if takes_mail is None else takes_mail.most_bytes(webhook.headers)
        if webhook.declared_bytes is not None and webhook.declared_bytes > most_bytes:
            raise BodyTooLargeError(most_bytes)
        if endpoint.allowed_networks and not _is_allowed(webhook.client(), endpoint.allowed_networks):
            raise AddressNotAllowedError("the client's address is not on this endpoint's allow-list")
        wait_s = await self._rate_limit.admit(endpoint.id, endpoint.requests_per_minute)
        if wait_s > 0:
            raise RateLimitedError(wait_s)
        body = await webhook.read_body(most_bytes)
        await self._prove(provider, endpoint, webhook, body)
        if not body:
            return 0
        received_at = self._clock()
        kept = body if takes_mail is None else takes_mail.without_words(webhook.headers, body, received_at)
        await self._inbox.keep(
            ProvenDelivery(
                endpoint_id=endpoint.id,
                organization_id=endpoint.organization_id,
                provider=provider.name,
                correlation_id=webhook.correlation_id,
                received_at=received_at,
                headers={name: webhook.headers[name] for name in provider.signed_headers if name in webhook.headers},
                body=kept,
            )
        )
        self._bell.ring()
        return len(kept)

    async def _addressee(self, webhook: IncomingWebhook) -> tuple[Provider, Endpoint]:
        provider = self._providers.get(webhook.provider)
        endpoint_id = _uuid(webhook.endpoint_id)
        if provider is not None and endpoint_id is not None:
            endpoint = await self._endpoints.find(endpoint_id)
            if endpoint is not None and endpoint.provider == provider.name:
                return provider, endpoint
        raise UnknownEndpointError("there is no webhook endpoint at this address")

    async def _prove(self, provider: Provider, endpoint: Endpoint, webhook: IncomingWebhook, body: bytes) -> None:
        tolerance_s = provider.default_tolerance_s if endpoint.tolerance_s is None else endpoint.tolerance_s
        try:
            await provider.verify(webhook.headers, body, endpoint.keys, now=self._clock(), tolerance_s=tolerance_s)
        except SignatureRefusedError as error:
            logger.warning(
                "Webhook signature refused",
                extra={
                    "event": "webhook_signature_refused",
                    "endpoint_id": str(endpoint.id),
                    "provider": provider.name,
                    "reason": error.reason,
                    "request_id": webhook.correlation_id,
                },
            )
            raise


def _is_allowed(client: IpAddress | None, networks: tuple[IpNetwork, ...]) -> bool:
    return client is not None and any(client in network for network in networks)


def _uuid(text: str) -> UUID | None:
    try:
        found = UUID(text)
    except ValueError:
        return None
    # UUID() also takes braces, "urn:" and missing hyphens; an address has one spelling.
    return found if str(found) == text.lower() else None
