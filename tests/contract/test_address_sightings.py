"""Rule 12: where addresses showed up, as all workers remember it for minutes, on every storage."""

from uuid import UUID

import pytest

from domain.policies.detection.sightings import Sighting
from tests.support.emails import CAMPAIGN, NOON, hours, seconds
from tests.support.storages import STORAGES, PostgresStorage

OFFICE = "203.0.113.20"


@pytest.fixture(params=STORAGES, ids=str)
def storage(request):
    return STORAGES[request.param](request)


def seen_on(number, at=NOON, *, address=OFFICE, campaign_id=CAMPAIGN):
    return Sighting(campaign_id, address, UUID(int=number).bytes, at)


def note(storage, *sightings):
    with storage.units.begin() as unit:
        return unit.sightings.note(sightings)


def test_recipients_add_up_over_transactions(storage):
    assert note(storage, seen_on(1), seen_on(2, NOON + seconds(10))) == [2, 2]
    assert note(storage, seen_on(3), seen_on(3, NOON + seconds(1))) == [3, 3]
    assert note(storage, seen_on(4), seen_on(5), seen_on(6, NOON + hours(1))) == [5, 5, 1]


def test_the_same_recipient_again_is_no_other(storage):
    note(storage, seen_on(1))

    assert note(storage, seen_on(1), seen_on(1, NOON + seconds(5))) == [1, 1]


def test_another_campaign_and_another_address_are_other_places(storage):
    note(storage, *[seen_on(number) for number in range(4)])

    others = [seen_on(9, address="203.0.113.21"), seen_on(9, campaign_id=UUID(int=7)), seen_on(9)]

    assert note(storage, *others) == [1, 1, 5]


def test_postgresql_holds_digests_only_and_forgets_after_minutes(core):
    storage = PostgresStorage(core)
    note(storage, seen_on(1), seen_on(2))
    assert core.value("SELECT count(*) FROM ops.address_sightings WHERE strpos(place::text, 'x3230332e30') > 0") == 0
    core.execute(
        "UPDATE ops.address_sightings SET noted_at = now() - interval '11 minutes'"
        " WHERE recipient = (SELECT recipient FROM ops.address_sightings LIMIT 1)"
    )

    with storage.units.begin() as unit:
        forgotten = unit.sightings.forget_old()

    assert (forgotten, core.value("SELECT count(*) FROM ops.address_sightings")) == (1, 1)
