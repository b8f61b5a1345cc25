"""Whose browser it was that followed one of our own links: the same in PostgreSQL and in memory."""

import pytest

from application.tokens import hash_of
from tests.support.emails import ACME
from tests.support.storages import STORAGES

SIGNED_IN, UNKNOWN = hash_of("mp_session_one"), hash_of("mp_session_two")


@pytest.fixture(params=STORAGES, ids=str)
def storage(request):
    return STORAGES[request.param](request)


def test_a_session_tells_its_organisation_and_no_other_hash_does(storage):
    storage.sign_in(SIGNED_IN)

    with storage.units.begin() as unit:
        assert unit.homes_of_viewers({SIGNED_IN, UNKNOWN}) == {SIGNED_IN: ACME}
        assert unit.homes_of_viewers(set()) == {}
