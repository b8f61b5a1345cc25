"""The use case on memory adapters: what is checked first, and what a refusal leaves undone."""

import asyncio
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from uuid import UUID, uuid4

import pytest

from adapters.memory.bell import MemoryBell
from adapters.memory.inbox_intake import MemoryInboxIntake
from adapters.memory.rate_limit import MemoryRateLimit
from adapters.memory.webhook_endpoints import MemoryEndpoints
from adapters.providers import registry
from application.ports.endpoints import Endpoint, EndpointsUnavailableError
from application.ports.inbox_intake import DeliveryNotKeptError
from application.ports.provider import SignatureRefusedError
from application.receive_webhook import (
    MOST_BODY_BYTES,
    AddressNotAllowedError,
    BodyTooLargeError,
    IncomingWebhook,
    RateLimitedError,
    ReceiveWebhook,
    UnknownEndpointError,
)
from tests.support.signed_deliveries import NOW, SIGNERS, OneCertificate

SIGNER = SIGNERS["email"]
ORGANIZATION = uuid4()


class Desk:
    """A reception with one endpoint, and what happened at it."""

    def __init__(self, **differences):
        self.endpoints = MemoryEndpoints([ORGANIZATION])
        self.inbox, self.bell, self.rate_limit = MemoryInboxIntake(), MemoryBell(), MemoryRateLimit()
        self.bodies_read = 0
        self.endpoint = Endpoint(
            **{
                "id": uuid4(),
                "organization_id": ORGANIZATION,
                "provider": "email",
                "keys": (SIGNER.key,),
                "allowed_networks": (),
                "requests_per_minute": 10,
                "tolerance_s": None,
                "created_at": NOW,
                **differences,
            }
        )
        self.endpoints.add(self.endpoint)
        self._reception = ReceiveWebhook(
            providers=registry(OneCertificate()),
            endpoints=self.endpoints,
            rate_limit=self.rate_limit,
            inbox=self.inbox,
            bell=self.bell,
            clock=lambda: NOW,
        )

    def receive(self, body=b'{"event_type":"open"}', *, signed_at=NOW, **differences):
        headers, body = SIGNER.sign(body, now=signed_at)

        async def read_body(most_bytes):
            assert most_bytes == MOST_BODY_BYTES
            self.bodies_read += 1
            return body

        webhook = IncomingWebhook(
            **{
                "provider": "email",
                "endpoint_id": str(self.endpoint.id),
                "headers": headers | {"user-agent": "somebody"},
                "declared_bytes": len(body),
                "client": lambda: ip_address("192.0.2.1"),
                "read_body": read_body,
                "correlation_id": "c-1",
                **differences,
            }
        )
        return asyncio.run(self._reception.receive(webhook))

    def left_untouched(self):
        return self.inbox.kept == [] and self.bell.rings == 0


def test_a_proven_delivery_is_kept_with_the_headers_that_count_and_the_bell_rung():
    desk = Desk()

    size = desk.receive(b"[]")

    (kept,) = desk.inbox.kept
    assert size == 2
    assert (kept.endpoint_id, kept.organization_id, kept.provider) == (desk.endpoint.id, ORGANIZATION, "email")
    assert (kept.body, kept.correlation_id, kept.received_at) == (b"[]", "c-1", NOW)
    assert "webhook-id" in kept.headers
    assert "user-agent" not in kept.headers
    assert desk.bell.rings == 1


def test_an_empty_body_proves_itself_and_is_not_kept():
    desk = Desk()

    assert desk.receive(b"") == 0
    assert desk.left_untouched()


@pytest.mark.parametrize(
    "differences",
    [{"endpoint_id": str(UUID(int=404))}, {"endpoint_id": "x"}, {"provider": "sendgrid"}, {"provider": "nobody"}],
    ids=str,
)
def test_an_unknown_address_is_refused_unread(differences):
    desk = Desk()

    with pytest.raises(UnknownEndpointError):
        desk.receive(**differences)
    assert desk.left_untouched()
    assert desk.bodies_read == 0


def test_a_disabled_endpoint_is_unknown():
    with pytest.raises(UnknownEndpointError):
        Desk(disabled_at=NOW).receive()


def test_a_declared_length_beyond_the_limit_is_refused_unread():
    desk = Desk()

    with pytest.raises(BodyTooLargeError):
        desk.receive(declared_bytes=MOST_BODY_BYTES + 1)
    assert desk.bodies_read == 0


@pytest.mark.parametrize("client", [ip_address("198.51.100.1"), ip_address("2001:db8::1"), None], ids=str)
def test_a_client_off_the_allow_list_is_refused_unread_and_uncounted(client):
    desk = Desk(allowed_networks=(ip_network("192.0.2.0/24"),), requests_per_minute=1)

    with pytest.raises(AddressNotAllowedError):
        desk.receive(client=lambda: client)
    assert desk.bodies_read == 0
    assert desk.receive() > 0


def test_the_client_is_only_worked_out_for_an_allow_list():
    def nobody():
        raise AssertionError("not needed")

    assert Desk().receive(client=nobody) > 0


def test_requests_beyond_the_limit_are_refused_unread_until_the_next_window():
    desk = Desk(requests_per_minute=1)
    desk.receive()

    with pytest.raises(RateLimitedError) as refusal:
        desk.receive()

    assert refusal.value.retry_after_s > 0
    assert desk.bodies_read == 1
    desk.rate_limit.begin_window()
    assert desk.receive() > 0


def test_the_endpoint_says_how_old_a_signature_may_be():
    long_ago = datetime(2026, 11, 20, tzinfo=UTC)

    with pytest.raises(SignatureRefusedError):
        Desk().receive(signed_at=long_ago)
    assert Desk(tolerance_s=3 * 24 * 3600).receive(signed_at=long_ago) > 0


def test_an_endpoint_without_keys_refuses_everything():
    desk = Desk(keys=())

    with pytest.raises(SignatureRefusedError):
        desk.receive()
    assert desk.left_untouched()


def test_any_of_several_keys_proves_the_sender():
    assert Desk(keys=(SIGNER.other_key, SIGNER.key)).receive() > 0


def test_what_was_not_kept_is_not_acknowledged_and_rings_no_bell():
    desk = Desk()
    desk.inbox.is_away = True

    with pytest.raises(DeliveryNotKeptError):
        desk.receive()
    assert desk.bell.rings == 0


def test_endpoints_that_cannot_be_looked_up_are_not_called_unknown():
    desk = Desk()
    desk.endpoints.is_away = True

    with pytest.raises(EndpointsUnavailableError):
        desk.receive()
