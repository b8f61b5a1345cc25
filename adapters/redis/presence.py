"""Who is online, in Redis: a key for each person that expires unless it is set again."""

import logging
from collections.abc import Collection
from typing import Final

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from adapters.redis.outage import RedisOutage
from application.ports.presence import Person

logger = logging.getLogger(__name__)

SEEN_FOR_S: Final = 15
"""Three beats long: one that is late or lost shows nobody as away, and a killed process's people are gone soon."""
_TIMEOUT_S: Final = 0.5


class RedisPresence:
    """See `application.ports.presence.Presence`.

    Args:
        redis_url: ``redis://``, ``rediss://`` or ``unix://``.
        seen_for_s: How long a person counts as present after they were noted.
    """

    def __init__(self, redis_url: str, *, seen_for_s: float = SEEN_FOR_S) -> None:
        self._client = redis.Redis.from_url(
            redis_url,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            retry=Retry(NoBackoff(), 1),  # a connection that Redis closed while it was idle
        )
        self._seen_for_ms = round(seen_for_s * 1000)
        self._outage = RedisOutage(logger, "nobody counts as online", begins="presence_unknown", ends="presence_back")

    async def note(self, people: Collection[Person]) -> None:
        if not people:
            return
        try:
            async with self._client.pipeline(transaction=False) as pipeline:
                for person in people:
                    pipeline.set(_key(person), "", px=self._seen_for_ms)  # type: ignore[unused-awaitable]  # by execute
                await pipeline.execute()
        except (RedisError, OSError) as error:
            self._outage.note_away(error)
        else:
            self._outage.note_back()

    async def is_online(self, person: Person) -> bool:
        try:
            return bool(await self._client.exists(_key(person)))
        except (RedisError, OSError) as error:
            self._outage.note_away(error)
            return False

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _key(person: Person) -> str:
    return f"mailpulse:online:{person.organization_id}:{person.user_id}"
