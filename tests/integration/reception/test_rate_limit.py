"""The limit is shared by all processes, never exceeded within a window, and still a limit without Redis."""

import asyncio
from uuid import uuid4

import pytest

from adapters.redis.rate_limit import RedisRateLimit
from tests.support.failing_link import link_to_redis

NOWHERE = "redis://127.0.0.1:1/0"


class Watch:
    """A clock that is turned by hand."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


async def admitted_by(processes, endpoint_id, limit, *, requests):
    """Spread requests over processes, all at once; give the waits, 0.0 where admitted."""
    try:
        return await asyncio.gather(
            *(processes[number % len(processes)].admit(endpoint_id, limit) for number in range(requests))
        )
    finally:
        for process in processes:
            await process.close()


@pytest.mark.parametrize("limit", [1, 7, 100, 1000])
def test_processes_together_admit_no_more_than_the_limit(redis_url, limit):
    processes = [RedisRateLimit(redis_url) for _ in range(4)]

    waits = asyncio.run(admitted_by(processes, uuid4(), limit, requests=limit * 2 + 10))

    assert waits.count(0.0) == limit
    assert all(0 < wait <= 60 for wait in waits if wait)


def test_a_large_limit_is_reached_but_for_what_others_hold_and_never_passed(redis_url):
    processes = [RedisRateLimit(redis_url) for _ in range(4)]

    waits = asyncio.run(admitted_by(processes, uuid4(), 20_000, requests=21_000))

    assert 19_800 <= waits.count(0.0) <= 20_000


def test_endpoints_do_not_share(redis_url):
    async def two_endpoints():
        limit = RedisRateLimit(redis_url)
        try:
            return [await limit.admit(endpoint, 1) for endpoint in (uuid4(), uuid4())]
        finally:
            await limit.close()

    assert asyncio.run(two_endpoints()) == [0.0, 0.0]


def test_a_new_window_admits_again(redis_url, redis_client):
    endpoint, watch = uuid4(), Watch()

    async def over_two_windows():
        limit = RedisRateLimit(redis_url, now=watch)
        try:
            first = [await limit.admit(endpoint, 1) for _ in range(2)]
            watch.now += first[1]
            redis_client.delete(f"mailpulse:rate:{endpoint}")  # Redis's own clock cannot be turned: the window's end
            return first, await limit.admit(endpoint, 1)
        finally:
            await limit.close()

    first, second = asyncio.run(over_two_windows())

    assert first[0] == 0.0
    assert first[1] > 0
    assert second == 0.0


def test_the_count_in_redis_ends_with_its_window(redis_url, redis_client):
    endpoint = uuid4()

    asyncio.run(admitted_by([RedisRateLimit(redis_url)], endpoint, 5, requests=1))

    assert 0 < redis_client.pttl(f"mailpulse:rate:{endpoint}") <= 60_000


def test_without_redis_each_process_admits_up_to_the_limit():
    async def alone():
        limit, endpoint = RedisRateLimit(NOWHERE, now=Watch()), uuid4()
        try:
            return [await limit.admit(endpoint, 3) for _ in range(5)]
        finally:
            await limit.close()

    waits = asyncio.run(alone())

    assert waits[:3] == [0.0, 0.0, 0.0]
    assert all(0 < wait <= 60 for wait in waits[3:])


def test_what_was_admitted_before_redis_left_still_counts(redis_url):
    link, url = link_to_redis(redis_url)
    watch, endpoint = Watch(), uuid4()

    async def losing_redis():
        limit = RedisRateLimit(url(), now=watch)
        try:
            before = [await limit.admit(endpoint, 4) for _ in range(3)]
            link.cut()
            return before, [await limit.admit(endpoint, 4) for _ in range(3)]
        finally:
            await limit.close()

    with link:
        before, after = asyncio.run(losing_redis())

    assert before == [0.0, 0.0, 0.0]
    assert [wait == 0.0 for wait in after] == [True, False, False]


def test_what_was_admitted_alone_is_told_to_redis_when_it_is_back(redis_url, redis_client):
    link, url = link_to_redis(redis_url)
    watch, endpoint = Watch(), uuid4()

    async def finding_redis_again():
        limit = RedisRateLimit(url(), now=watch)
        try:
            link.cut()
            alone = [await limit.admit(endpoint, 10) for _ in range(3)]
            link.restore()
            watch.now += 3
            return alone, await limit.admit(endpoint, 10)
        finally:
            await limit.close()

    with link:
        alone, together = asyncio.run(finding_redis_again())

    assert [*alone, together] == [0.0, 0.0, 0.0, 0.0]
    assert int(redis_client.get(f"mailpulse:rate:{endpoint}")) == 4
