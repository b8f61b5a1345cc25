"""What the edge remembers of endpoints, for how long, and what it does when nobody can be asked."""

import asyncio
from uuid import uuid4

import msgspec
import pytest

from adapters.endpoint_cache import _MOST_ENTRIES, FRESH_S, RENEWING_S, STALE_S, CachedEndpoints
from adapters.memory.webhook_endpoints import MemoryEndpoints
from application.ports.endpoints import Endpoint, EndpointsUnavailableError
from tests.support.signed_deliveries import NOW

ORGANIZATION = uuid4()
ENDPOINT = Endpoint(
    id=uuid4(),
    organization_id=ORGANIZATION,
    provider="email",
    keys=(),
    allowed_networks=(),
    requests_per_minute=1,
    tolerance_s=None,
    created_at=NOW,
)


class Cached:
    """A cache over a directory in memory, on a clock that is turned by hand."""

    def __init__(self):
        self.now = 1000.0
        self.directory = MemoryEndpoints([ORGANIZATION])
        self.directory.add(ENDPOINT)
        self._cache = CachedEndpoints(self.directory, now=lambda: self.now)

    async def find(self, endpoint_id=ENDPOINT.id):
        return await self._cache.find(endpoint_id)

    async def guess(self):
        """Have somebody ask for more ids than are remembered."""
        for _ in range(_MOST_ENTRIES + 1):
            await self.find(uuid4())

    @property
    def remembered(self):
        return len(self._cache._known) + len(self._cache._unknown)

    def disable(self):
        self.directory.change(
            ORGANIZATION, ENDPOINT.id, lambda endpoint: msgspec.structs.replace(endpoint, disabled_at=NOW)
        )


@pytest.fixture
def cached():
    return Cached()


def test_a_fresh_endpoint_is_not_asked_for_again(cached):
    async def find_often():
        return [await cached.find() for _ in range(100)]

    assert set(map(id, asyncio.run(find_often()))) == {id(ENDPOINT)}
    assert cached.directory.asked == 1


def test_that_an_endpoint_does_not_exist_is_remembered_too(cached):
    unknown = uuid4()

    async def find_twice():
        return [await cached.find(unknown) for _ in range(2)]

    assert asyncio.run(find_twice()) == [None, None]
    assert cached.directory.asked == 1


def test_a_disabled_endpoint_is_gone_after_two_seconds(cached):
    async def disable_and_wait():
        await cached.find()
        cached.disable()
        cached.now += RENEWING_S
        return await cached.find()

    assert asyncio.run(disable_and_wait()) is None


def test_in_between_it_is_read_again_without_waiting(cached):
    async def disable_and_look():
        await cached.find()
        cached.disable()
        cached.now += FRESH_S
        during = await cached.find()
        await asyncio.sleep(0)
        return during, await cached.find()

    assert asyncio.run(disable_and_look()) == (ENDPOINT, None)


def test_while_nobody_answers_what_is_known_serves_for_a_minute(cached):
    async def outage():
        await cached.find()
        cached.directory.is_away = True
        for _ in range(5):
            cached.now += STALE_S / 5
            assert await cached.find() is ENDPOINT
        cached.now += 1
        with pytest.raises(EndpointsUnavailableError):
            await cached.find()
        cached.directory.is_away = False
        return await cached.find()

    assert asyncio.run(outage()) is ENDPOINT


def test_while_nobody_answers_not_every_request_asks(cached):
    async def outage():
        await cached.find()
        cached.directory.is_away = True
        cached.now += RENEWING_S
        for _ in range(100):
            await cached.find()

    asyncio.run(outage())

    assert cached.directory.asked == 2


def test_an_endpoint_nobody_knows_yet_cannot_be_vouched_for(cached):
    cached.directory.is_away = True

    with pytest.raises(EndpointsUnavailableError):
        asyncio.run(cached.find())


def test_whoever_guesses_ids_drives_out_no_endpoint(cached):
    async def guess_and_lose_the_database():
        await cached.find()
        await cached.guess()
        cached.directory.is_away = True
        cached.now += STALE_S
        return await cached.find()

    assert asyncio.run(guess_and_lose_the_database()) is ENDPOINT
    assert cached.remembered == _MOST_ENTRIES + 1


def test_an_endpoint_that_was_guessed_before_it_was_there_is_not_driven_out_either(cached):
    late = msgspec.structs.replace(ENDPOINT, id=uuid4())

    async def guess_and_lose_the_database():
        await cached.find(late.id)
        cached.directory.add(late)
        cached.now += RENEWING_S
        await cached.find(late.id)
        await cached.guess()
        cached.directory.is_away = True
        cached.now += RENEWING_S
        return await cached.find(late.id)

    assert asyncio.run(guess_and_lose_the_database()) is late


def test_an_endpoint_that_is_gone_makes_room_like_any_unknown_id(cached):
    async def disable_and_guess():
        await cached.find()
        cached.disable()
        cached.now += RENEWING_S
        await cached.find()
        await cached.guess()

    asyncio.run(disable_and_guess())

    assert cached.remembered == _MOST_ENTRIES


def test_of_too_many_endpoints_those_that_are_asked_for_stay(cached):
    async def know_too_many():
        await cached.find()
        for endpoint in others[:-1]:
            await cached.find(endpoint.id)
        cached.now += RENEWING_S
        await cached.find()
        await cached.find(others[-1].id)
        cached.directory.is_away = True
        return await cached.find()

    others = [msgspec.structs.replace(ENDPOINT, id=uuid4()) for _ in range(_MOST_ENTRIES)]
    for endpoint in others:
        cached.directory.add(endpoint)

    assert asyncio.run(know_too_many()) is ENDPOINT
    assert cached.remembered == _MOST_ENTRIES
