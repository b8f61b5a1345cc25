"""Rings through Redis's publish and subscribe: nothing is stored there."""

import logging
from collections.abc import Sequence
from typing import Final

import msgspec
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from adapters.redis.outage import RedisOutage
from read_models.notifications.notification import Announcement

logger = logging.getLogger(__name__)

CHANNEL: Final = "mailpulse:notifications"
"""Each message is an `Announcement` as JSON."""
_TIMEOUT_S: Final = 0.5


class RedisNotificationFeed:
    """See `read_models.notifications.feed.NotificationFeed`.

    Args:
        redis_url: As redis-py takes it.
    """

    def __init__(self, redis_url: str) -> None:
        self._client = Redis.from_url(
            redis_url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S, retry=Retry(NoBackoff(), 0)
        )
        self._outage = RedisOutage(
            logger, "streams catch up from the database", begins="announcement_lost", ends="announcements_back"
        )

    def publish(self, announcements: Sequence[Announcement]) -> None:
        if not announcements:
            return
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                for announcement in announcements:
                    pipeline.publish(CHANNEL, msgspec.json.encode(announcement))
                pipeline.execute()
        except (RedisError, OSError) as error:
            self._outage.note_away(error)
        else:
            self._outage.note_back()

    def close(self) -> None:
        """Close the connection."""
        self._client.close()
