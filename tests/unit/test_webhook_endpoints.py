"""Administration of endpoints on memory adapters."""

from base64 import b64encode
from uuid import uuid4

import pytest

from adapters.memory.webhook_endpoints import MemoryEndpoints
from adapters.providers import registry
from application.fingerprints import fingerprint_of
from application.ports.provider import InvalidVerificationKeyError
from application.webhook_endpoints import (
    DEFAULT_REQUESTS_PER_MINUTE,
    EndpointClosedError,
    EndpointNotFoundError,
    InvalidEndpointError,
    KeyNotFoundError,
    UnknownProviderError,
    WebhookEndpoints,
)
from tests.support.signed_deliveries import NOW, SIGNERS, OneCertificate

ORGANIZATION = uuid4()
KEY, OTHER_KEY = SIGNERS["email"].key, SIGNERS["email"].other_key


def some_keys(count):
    return ["whsec_" + b64encode(number.to_bytes(32, "big")).decode() for number in range(count)]


@pytest.fixture
def records():
    return MemoryEndpoints([ORGANIZATION])


@pytest.fixture
def endpoints(records):
    return WebhookEndpoints(providers=registry(OneCertificate()), records=records, clock=lambda: NOW)


def test_a_new_endpoint_says_where_to_post_and_never_its_keys(endpoints):
    view = endpoints.add(ORGANIZATION, "email", keys=[KEY, KEY])

    assert view.path == f"/webhooks/email/{view.endpoint_id}"
    assert view.key_fingerprints == (fingerprint_of(KEY),)
    assert view.requests_per_minute == DEFAULT_REQUESTS_PER_MINUTE
    assert KEY not in repr(view)


def test_an_endpoint_never_shows_its_keys_in_a_log_or_traceback(endpoints, records):
    endpoints.add(ORGANIZATION, "email", keys=[KEY])

    (endpoint,) = records.of_organization(ORGANIZATION)

    assert endpoint.keys == (KEY,)
    assert KEY not in f"{endpoint} {endpoint!r}"


def test_networks_are_listed_once_and_in_one_spelling(endpoints):
    view = endpoints.add(
        ORGANIZATION, "email", allowed_networks=["10.0.0.0/8", " 10.0.0.0/8 ", "2001:DB8::/32", "192.0.2.1"]
    )

    assert view.allowed_networks == ("10.0.0.0/8", "2001:db8::/32", "192.0.2.1/32")


@pytest.mark.parametrize(
    "differences, named",
    [
        ({"allowed_networks": ["10.0.0.1/8"]}, "10.0.0.1/8"),
        ({"allowed_networks": ["example.org"]}, "example.org"),
        ({"allowed_networks": [""]}, "allowed network"),
        ({"allowed_networks": [f"10.0.{n // 256}.{n % 256}" for n in range(1_001)]}, "allowed_networks are 1001"),
        ({"keys": some_keys(17)}, "keys are 17"),
        ({"requests_per_minute": 0}, "requests_per_minute"),
        ({"requests_per_minute": 2**31}, "requests_per_minute"),
        ({"tolerance_s": 0}, "tolerance_s"),
        ({"tolerance_s": -5}, "tolerance_s"),
    ],
)
def test_what_cannot_be_used_is_named_and_nothing_added(endpoints, differences, named):
    with pytest.raises(InvalidEndpointError, match=named):
        endpoints.add(ORGANIZATION, "email", **differences)
    assert endpoints.of_organization(ORGANIZATION) == []


def test_an_unknown_provider_is_told_which_are_known(endpoints):
    with pytest.raises(UnknownProviderError, match="sendgrid"):
        endpoints.add(ORGANIZATION, "pigeon")


@pytest.mark.parametrize("provider", ["sendgrid", "ses", "email"])
def test_every_key_has_to_have_its_providers_form(endpoints, provider):
    with pytest.raises(InvalidVerificationKeyError):
        endpoints.add(ORGANIZATION, provider, keys=[SIGNERS[provider].key, "no key"])
    added = endpoints.add(ORGANIZATION, provider, keys=[SIGNERS[provider].key])
    with pytest.raises(InvalidVerificationKeyError):
        endpoints.add_key(ORGANIZATION, added.endpoint_id, "no key")


def test_keys_are_rotated_one_at_a_time(endpoints):
    added = endpoints.add(ORGANIZATION, "email", keys=[KEY])

    both = endpoints.add_key(ORGANIZATION, added.endpoint_id, OTHER_KEY)
    again = endpoints.add_key(ORGANIZATION, added.endpoint_id, OTHER_KEY)
    new = endpoints.remove_key(ORGANIZATION, added.endpoint_id, fingerprint_of(KEY))

    assert both.key_fingerprints == again.key_fingerprints == (fingerprint_of(KEY), fingerprint_of(OTHER_KEY))
    assert new.key_fingerprints == (fingerprint_of(OTHER_KEY),)


def test_one_key_too_many_is_refused_and_the_others_stay(endpoints):
    endpoint_id = endpoints.add(ORGANIZATION, "email", keys=some_keys(16)).endpoint_id

    with pytest.raises(InvalidEndpointError, match="at most 16"):
        endpoints.add_key(ORGANIZATION, endpoint_id, KEY)
    assert len(endpoints.of_organization(ORGANIZATION)[0].key_fingerprints) == 16


def test_removing_a_key_that_is_not_there_says_so(endpoints):
    added = endpoints.add(ORGANIZATION, "email", keys=[KEY])

    with pytest.raises(KeyNotFoundError):
        endpoints.remove_key(ORGANIZATION, added.endpoint_id, fingerprint_of(OTHER_KEY))


def test_disabling_twice_keeps_the_first_time(endpoints):
    added = endpoints.add(ORGANIZATION, "email", keys=[KEY])

    assert endpoints.disable(ORGANIZATION, added.endpoint_id).disabled_at == NOW
    assert endpoints.disable(ORGANIZATION, added.endpoint_id).disabled_at == NOW


def test_a_closed_endpoint_takes_no_key_and_says_what_to_do(endpoints):
    closed = endpoints.add(ORGANIZATION, "email", keys=[KEY]).endpoint_id
    endpoints.disable(ORGANIZATION, closed)

    for key in (OTHER_KEY, KEY, "no key"):
        with pytest.raises(EndpointClosedError, match=r"closed for good.*open another one"):
            endpoints.add_key(ORGANIZATION, closed, key)
    assert endpoints.of_organization(ORGANIZATION)[0].key_fingerprints == (fingerprint_of(KEY),)


def test_a_key_may_be_taken_from_a_closed_endpoint(endpoints):
    closed = endpoints.add(ORGANIZATION, "email", keys=[KEY]).endpoint_id
    endpoints.disable(ORGANIZATION, closed)

    assert endpoints.remove_key(ORGANIZATION, closed, fingerprint_of(KEY)).key_fingerprints == ()


def test_another_organisations_endpoint_is_not_found(endpoints):
    added = endpoints.add(ORGANIZATION, "email", keys=[KEY])

    for act in (
        lambda: endpoints.add_key(uuid4(), added.endpoint_id, OTHER_KEY),
        lambda: endpoints.remove_key(uuid4(), added.endpoint_id, fingerprint_of(KEY)),
        lambda: endpoints.disable(uuid4(), added.endpoint_id),
    ):
        with pytest.raises(EndpointNotFoundError):
            act()
    assert endpoints.of_organization(ORGANIZATION) == [added]
