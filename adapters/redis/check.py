"""Asks Redis for a sign of life."""

from typing import Final

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from domain.errors import PortError

_TIMEOUT_S: Final = 1.0


class RedisAwayError(PortError):
    """Redis does not answer: work is late, nothing is lost."""

    code = "redis_away"


class RedisCheck:
    """See `application.ports.health.Dependency`."""

    name = "redis"

    def __init__(self, redis_url: str) -> None:
        self._redis_url = redis_url

    async def check(self) -> None:
        client = redis.Redis.from_url(
            self._redis_url,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            await client.ping()
        except (RedisError, OSError) as error:
            raise RedisAwayError(type(error).__name__) from error
        finally:
            await client.aclose()
