"""Requests per endpoint and minute, counted in Redis over all processes.

A process leases a handful of requests at a time, so that one request does not cost a round trip. What is granted never
exceeds the limit: leases end with the window, and unused ones are lost rather than carried over.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Final
from uuid import UUID

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from adapters.redis.outage import RedisOutage

logger = logging.getLogger(__name__)

WINDOW_S: Final = 60
_TIMEOUT_S: Final = 0.25
_ALONE_S: Final = 2.0
"""How long a process counts alone before it looks for Redis again."""
_MOST_LEASED: Final = 5_000
_LEASES_PER_WINDOW: Final = 100
_SHORTEST_WAIT_S: Final = 0.001

# KEYS[1]: requests granted in this window; it expires with the window.
# ARGV: limit, requests wanted, requests that this process let through alone, window in ms.
# Near the limit less is given at a time, so that little of it lies unused with others.
_LEASE: Final = """
local used = tonumber(redis.call('GET', KEYS[1]) or '0')
if redis.call('PTTL', KEYS[1]) <= 0 then
    used = 0
    redis.call('SET', KEYS[1], 0, 'PX', ARGV[4])
end
local spent = tonumber(ARGV[3])
local left = tonumber(ARGV[1]) - used - spent
local granted = 0
if left > 0 then
    granted = math.max(1, math.min(tonumber(ARGV[2]), math.floor(left / 8)))
end
if granted + spent > 0 then
    redis.call('INCRBY', KEYS[1], granted + spent)
end
return {granted, redis.call('PTTL', KEYS[1])}
"""


class _Lease:
    """What one process may still let through at one endpoint.

    Attributes:
        left: Requests.
        is_refusing: Nothing was granted, nor will be in this window.
        ends_at: When the window does.
        valid_until: When to ask again, whatever is left.
        admitted: By this process in this window.
        spent_alone: Of these, those that Redis does not know of.
    """

    __slots__ = ("admitted", "ends_at", "is_alone", "is_refusing", "left", "lock", "spent_alone", "valid_until")

    def __init__(self) -> None:
        self.left = 0
        self.ends_at = 0.0
        self.valid_until = 0.0
        self.admitted = 0
        self.is_alone = False
        self.is_refusing = False
        self.spent_alone = 0
        self.lock = asyncio.Lock()

    def begin_window(self, ends_at: float) -> None:
        self.ends_at = ends_at
        self.admitted = 0
        self.spent_alone = 0

    def settle(self, left: int, *, ends_at: float, valid_until: float, is_alone: bool) -> None:
        self.left = left
        self.ends_at = ends_at
        self.valid_until = valid_until
        self.is_refusing = left == 0
        if not is_alone:
            self.spent_alone = 0
        self.is_alone = is_alone

    def is_settled(self, now: float) -> bool:
        """Whether it is known now what to answer."""
        return now < self.valid_until and (self.left > 0 or self.is_refusing)

    def spend(self) -> None:
        self.left -= 1
        self.admitted += 1
        self.spent_alone += self.is_alone


class RedisRateLimit:
    """See `application.ports.rate_limit.RateLimit`.

    While Redis is away, each process counts alone: at most the limit per process and window.

    Args:
        redis_url: ``redis://``, ``rediss://`` or ``unix://``.
        window_s: Seconds.
        now: Gives seconds on a clock that never goes back.
    """

    def __init__(
        self, redis_url: str, *, window_s: float = WINDOW_S, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._client = redis.Redis.from_url(
            redis_url,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            retry=Retry(NoBackoff(), 1),  # a connection that Redis closed while it was idle
        )
        self._take = self._client.register_script(_LEASE)
        self._window_s = window_s
        self._now = now
        self._leases: dict[UUID, _Lease] = {}
        self._outage = RedisOutage(
            logger, "each process counts requests alone", begins="rate_limit_alone", ends="rate_limit_shared"
        )
        self._look_again_at = 0.0

    async def admit(self, endpoint_id: UUID, requests_per_minute: int) -> float:
        lease = self._leases.get(endpoint_id) or self._new_lease(endpoint_id)
        if not lease.is_settled(self._now()):
            async with lease.lock:  # one asks, the others wait for the answer
                now = self._now()
                if not lease.is_settled(now):
                    await self._renew(endpoint_id, lease, requests_per_minute, now)
        if lease.left > 0:
            lease.spend()
            return 0.0
        return max(lease.ends_at - self._now(), _SHORTEST_WAIT_S)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _renew(self, endpoint_id: UUID, lease: _Lease, limit: int, now: float) -> None:
        if now < self._look_again_at:
            self._count_alone(lease, limit, now)
            return
        wanted = max(1, min(limit // _LEASES_PER_WINDOW, _MOST_LEASED))
        window_ms = round(self._window_s * 1000)
        spent_alone = lease.spent_alone if now < lease.ends_at else 0
        try:
            granted, left_ms = await self._take(
                keys=[f"mailpulse:rate:{endpoint_id}"], args=[limit, wanted, spent_alone, window_ms]
            )
        except (RedisError, OSError) as error:
            self._outage.note_away(error)
            self._look_again_at = now + _ALONE_S
            self._count_alone(lease, limit, now)
            return
        self._outage.note_back()
        # Redis counted the window's rest after `now`, so this end is never later than Redis's own.
        ends_at = now + left_ms / 1000
        if now >= lease.ends_at:
            lease.begin_window(ends_at)
        lease.settle(granted, ends_at=ends_at, valid_until=ends_at, is_alone=False)

    def _count_alone(self, lease: _Lease, limit: int, now: float) -> None:
        if now >= lease.ends_at:
            lease.begin_window(now + self._window_s)
        lease.settle(
            max(limit - lease.admitted, 0),
            ends_at=lease.ends_at,
            valid_until=min(now + _ALONE_S, lease.ends_at),
            is_alone=True,
        )

    def _new_lease(self, endpoint_id: UUID) -> _Lease:
        lease = self._leases[endpoint_id] = _Lease()
        return lease
