"""Hears the rings for announcements: one subscription for each process."""

import asyncio
import logging
from typing import Final

import msgspec
import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from adapters.redis.notification_feed import CHANNEL
from adapters.redis.outage import RedisOutage
from application.ports.presence import Person
from application.ports.rings import Heard

logger = logging.getLogger(__name__)

RECONNECT_S: Final = 0.5
_CONNECT_TIMEOUT_S: Final = 1.0
_LOOK_S: Final = 5.0


class RedisRingListener:
    """See `application.ports.rings.RingListener`.

    Args:
        redis_url: ``redis://``, ``rediss://`` or ``unix://``.
    """

    def __init__(self, redis_url: str) -> None:
        self._client = redis.Redis.from_url(
            redis_url,
            socket_connect_timeout=_CONNECT_TIMEOUT_S,
            health_check_interval=_LOOK_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._outage = RedisOutage(logger, "streams ask the database", begins="rings_unheard", ends="rings_heard")

    async def listen(self, heard: Heard) -> None:
        while True:
            try:
                await self._subscribed(heard)
            except (RedisError, OSError) as error:
                heard.deaf()
                self._outage.note_away(error)
            await asyncio.sleep(RECONNECT_S)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _subscribed(self, heard: Heard) -> None:
        async with self._client.pubsub(ignore_subscribe_messages=False) as subscription:
            await subscription.subscribe(CHANNEL)
            while True:
                message = await subscription.get_message(timeout=_LOOK_S)
                if message is None:
                    continue
                if message["type"] == "subscribe":
                    self._outage.note_back()
                    heard.listening()
                elif message["type"] == "message":
                    _pass_on(message["data"], heard)


def _pass_on(data: bytes, heard: Heard) -> None:
    # Who is meant is enough: the rest comes from the database, which knows what they may see.
    try:
        heard.ring(msgspec.json.decode(data, type=Person))
    except msgspec.DecodeError as error:
        logger.warning("A ring could not be read", extra={"event": "ring_unreadable", "error": type(error).__name__})
