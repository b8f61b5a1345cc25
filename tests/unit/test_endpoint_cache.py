"""What the edge remembers of endpoints, for how long, and what it does when nobody can be asked."""

import asyncio
from uuid import uuid4

import msgspec
import pytest

from adapters.endpoint_cache import FRESH_S, RENEWING_S, STALE_S, CachedEndpoints
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
