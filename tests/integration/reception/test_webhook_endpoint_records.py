"""Endpoints in PostgreSQL: keys rest sealed, the edge finds them, organisations never touch each other's."""

import asyncio
from uuid import uuid4

import msgspec
import pytest

from adapters.postgres.webhook_endpoints import SEAL_PURPOSE, PostgresEndpointDirectory
from adapters.secrets import SecretBox
from application.ports.endpoints import EndpointsUnavailableError, UnknownOrganizationError
from application.webhook_endpoints import EndpointNotFoundError
from tests.support.edge import SECRET_KEYS
from tests.support.signed_deliveries import SIGNERS

KEY, OTHER_KEY = SIGNERS["email"].key, SIGNERS["email"].other_key


def found(database_url, *endpoint_ids, secret_keys=SECRET_KEYS):
    async def find():
        directory = PostgresEndpointDirectory(database_url, SecretBox(secret_keys, purpose=SEAL_PURPOSE))
        try:
            return await asyncio.gather(*(directory.find(endpoint_id) for endpoint_id in endpoint_ids))
        finally:
            await directory.close()

    return asyncio.run(find())


def test_the_edge_finds_an_endpoint_as_it_was_added(database_url, endpoints, organization_id):
    added = endpoints.add(
        organization_id,
        "email",
        keys=[KEY, OTHER_KEY],
        allowed_networks=["192.0.2.0/24", "2001:db8::/32"],
        requests_per_minute=7,
        tolerance_s=60,
    )

    endpoint, unknown, again = found(database_url, added.endpoint_id, uuid4(), added.endpoint_id)

    assert unknown is None
    assert endpoint == again
    assert (endpoint.organization_id, endpoint.keys) == (organization_id, (KEY, OTHER_KEY))
    assert (endpoint.requests_per_minute, endpoint.tolerance_s) == (7, 60)
    assert tuple(map(str, endpoint.allowed_networks)) == added.allowed_networks


def test_the_database_never_sees_a_key(endpoints, organization_id, database):
    added = endpoints.add(organization_id, "email", keys=[KEY])

    (row,) = database.execute("SELECT e::text FROM ops.webhook_endpoints e WHERE id = %s", (added.endpoint_id,))

    assert KEY not in row[0]
    assert KEY.encode().hex() not in row[0]


def test_a_new_secret_key_in_front_still_opens_what_the_old_one_sealed(database_url, endpoints, organization_id):
    added = endpoints.add(organization_id, "email", keys=[KEY])

    (endpoint,) = found(database_url, added.endpoint_id, secret_keys=["a newer secret key", *SECRET_KEYS])

    assert endpoint.keys == (KEY,)


def test_without_the_secret_key_the_provider_is_told_to_retry(database_url, endpoints, organization_id):
    added = endpoints.add(organization_id, "email", keys=[KEY])

    with pytest.raises(EndpointsUnavailableError):
        found(database_url, added.endpoint_id, secret_keys=["quite another secret key"])


def test_a_disabled_endpoint_is_not_found_and_stays_listed(database_url, endpoints, organization_id):
    added = endpoints.add(organization_id, "email", keys=[KEY])

    disabled = endpoints.disable(organization_id, added.endpoint_id)

    assert found(database_url, added.endpoint_id) == [None]
    assert disabled in endpoints.of_organization(organization_id)


def test_a_change_keeps_the_rest(endpoints, organization_id):
    added = endpoints.add(organization_id, "email", keys=[KEY], requests_per_minute=9)

    changed = endpoints.add_key(organization_id, added.endpoint_id, OTHER_KEY)

    assert changed == msgspec.structs.replace(added, key_fingerprints=changed.key_fingerprints)
    assert len(changed.key_fingerprints) == 2
    assert endpoints.of_organization(organization_id)[-1] == changed


def test_another_organisation_changes_and_sees_nothing(endpoints, organization_id):
    added = endpoints.add(organization_id, "email", keys=[KEY])

    with pytest.raises(EndpointNotFoundError):
        endpoints.disable(uuid4(), added.endpoint_id)
    assert endpoints.of_organization(uuid4()) == []
    assert added in endpoints.of_organization(organization_id)


def test_an_endpoint_needs_its_organisation(endpoints):
    with pytest.raises(UnknownOrganizationError):
        endpoints.add(uuid4(), "email", keys=[KEY])
